"""Events of providers are applied once, whatever their order."""
