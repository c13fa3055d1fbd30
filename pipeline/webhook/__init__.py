"""Sending webhooks over HTTP: signed, bounded in time and size, and to public addresses only."""

from pipeline.webhook.sender import WebhookSender

__all__ = ["WebhookSender"]
