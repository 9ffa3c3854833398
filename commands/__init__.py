"""The commands about control: the words of each on the command line, and the one flow that it calls."""
