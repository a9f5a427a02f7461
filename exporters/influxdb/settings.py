"""What the operator says of one InfluxDB."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """One server and the place in it: `database` (1.x), or `org` and `bucket` (2.x, 3.x). One of the two is given.

    `url` may end in a path. `timeout` and `flush_interval` are seconds: a request is given up after the one, readings
    wait for each other as long as the other. `batch_bytes` bounds a request before compression, `buffer_bytes` the
    memory that readings take while they wait.
    """

    url: str = field(repr=False)
    name: str
    database: str = ""
    retention_policy: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    org: str = ""
    bucket: str = ""
    token: str = field(default="", repr=False)
    timeout: float = 5.0
    flush_interval: float = 1.0
    batch_bytes: int = 2**20
    buffer_bytes: int = 64 * 2**20
    create_database: bool = True
