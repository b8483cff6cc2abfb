"""The demo: a marketplace's payouts through a bank that loses replies, shown to be paid once each."""
