"""The one role that acts on the outside world for a user: fetches inputs, has them measured, delivers webhooks."""
