"""A whole Ascolto on this machine: the services as processes of their own on a local stack."""

from cli.deployment.deployment import Deployment, running_deployment
from cli.deployment.service import ServiceProcess

__all__ = ["Deployment", "ServiceProcess", "running_deployment"]
