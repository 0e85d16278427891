"""The private redis-server that the demo uses too."""

from sandbox.redis_server import RedisServer, free_port, redis_executable

__all__ = ["RedisServer", "free_port", "redis_executable"]
