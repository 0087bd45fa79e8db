"""A gRPC server with health, reflection, authentication, deadlines, clear errors, traces and a graceful end."""

from chassis.grpc_server.call import draining, remaining_seconds
from chassis.grpc_server.server import GrpcServer, Service
from chassis.grpc_server.settings import GrpcSettings
from chassis.grpc_server.writing import write_within

__all__ = ["GrpcServer", "GrpcSettings", "Service", "draining", "remaining_seconds", "write_within"]
