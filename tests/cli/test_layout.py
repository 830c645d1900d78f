"""What the processes of a stack are started with."""

from pathlib import Path

from vtid.cli.layout import ROOT, Layout, Ports
from vtid.configuration.settings import Settings
from vtid.configuration.temporal_dev import load_temporal_dev


def test_no_key_stands_in_a_command_line_that_everybody_on_the_machine_may_read(tmp_path: Path) -> None:
    settings = Settings.load({"VTID_DATA_DIR": str(tmp_path)})
    dev = load_temporal_dev(ROOT / "temporal-dev.yaml")
    keys = {"token": "the-token", "lease_key": "the-lease-key", "webhook_secret": "the-webhook-secret"}
    layout = Layout(tmp_path, settings, Ports(1, 2, 3, 4, 5, 6), dev, keys, True, {})

    services = (layout.worker(), layout.api(), layout.temporal(), layout.simulated_worker("w1"))

    for service in services:
        assert not [word for word in service.argv if any(key in word for key in keys.values())]
    assert services[-1].env["VTID_API_TOKEN"] == "the-token"
