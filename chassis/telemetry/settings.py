"""Where telemetry goes, and how much of it."""

from pydantic import Field

from chassis.settings import ProcessSettings


class TelemetrySettings(ProcessSettings):
    """The variables of OpenTelemetry itself; headers and certificates of the exporter are read by the exporter."""

    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="the collector's gRPC URL, such as http://localhost:4317; nothing is sent where it is not set",
    )
    sampled_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        validation_alias="OTEL_TRACES_SAMPLER_ARG",
        description="which part of the traces that start here is kept, 0 to 1",
    )
    deployment: str = Field(
        default="local",
        validation_alias="ASCOLTO_DEPLOYMENT",
        description="the name of this deployment, such as staging",
    )
    metrics_interval_seconds: float = Field(
        default=30.0,
        gt=0,
        validation_alias="ASCOLTO_METRICS_INTERVAL_SECONDS",
        description="seconds between two exports",
    )
    flush_timeout_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        validation_alias="ASCOLTO_TELEMETRY_FLUSH_SECONDS",
        description="how long the last export may take when the process stops, up to 60",
    )
