"""What whoever adds a job proves it with: a world, a worker that runs it to quiet, fakes that remember."""
