"""What only `bursar bench` needs of the database: copies, proofs, and the product's statements for pgbench."""
