"""One module per command, each with ``run(args)``; imported when the command is used."""
