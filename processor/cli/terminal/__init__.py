"""The process and its terminal: signals, standard streams, options, waiting."""
