"""What is known about delivering webhooks, without any I/O: where one may go, when to try again, who is next."""
