"""What `kerasgan.serve` is made of: the files it knows, what it answers, connections within bounds."""
