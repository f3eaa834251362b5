"""What the bus counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter("weft_bus_published_frames_total", "Frames the broker confirmed.")
REFUSED = Counter("weft_bus_unpublished_frames_total", "Frames the broker did not confirm; they are sent again.", ["reason"])
CONFIRM_SECONDS = Histogram(
    "weft_bus_confirm_seconds",
    "From sending to the last confirm of one call.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
CONNECTED = Gauge("weft_bus_connected", "1 while the connection to the broker stands.", ["link"])
RECONNECTS = Counter("weft_bus_reconnects_total", "Connections made anew after a loss.", ["link"])
RESUBSCRIBED = Counter("weft_bus_resubscribed_total", "Subscriptions made anew by the watchdog.", ["queue"])
