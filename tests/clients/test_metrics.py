"""What Prometheus reads, as its own package for Python reads it."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families

import program as runpod_query


def test_prometheus_understands_every_metric(server):
    text = runpod_query.get(f"{server.url}/metrics").decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["process_resident_memory_bytes"].samples[0].value > 1e7
    for name in ["request_seconds", "tokenization_seconds", "queue_seconds", "inference_seconds"]:
        family = families[f"runpod_query_{name}"]
        assert (family.type, family.unit) == ("histogram", "seconds")
    assert all(family.documentation for family in families.values())
