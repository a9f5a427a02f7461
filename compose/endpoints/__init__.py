"""Where a cluster answers: at which addresses of the machine, and under which names in its own network."""

from compose.endpoints.finding import endpoint, endpoints
from compose.endpoints.forms import Endpoint
from compose.identities import Unusable
from compose.tree import Refused

__all__ = ["Endpoint", "Refused", "Unusable", "endpoint", "endpoints"]
