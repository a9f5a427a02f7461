"""A cluster's options as the files that Docker Compose and the containers read."""

from compose.rendering.files import rendered

__all__ = ["rendered"]
