"""What `bursar new` writes into this source tree, from the templates beside it."""
