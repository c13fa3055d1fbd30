"""Every way a model can fail, on every wire, through all of ours that is between an answer and its feedback."""
