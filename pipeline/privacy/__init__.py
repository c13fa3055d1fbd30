"""What must not leave the house: taken out of a prompt, put back into the reply. Pure."""
