"""temporal-dev.yaml, typed, and the flags of `temporal server start-dev` that it means."""

import json
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

AttributeType = Literal["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]


class TemporalDevError(ValueError):
    """temporal-dev.yaml cannot be used; the message names the file, the key and the problem."""


class TaskQueues(BaseModel):
    """The queues that our worker polls."""

    model_config = ConfigDict(extra="forbid")

    runs: str
    github: str


class TemporalDev(BaseModel):
    """How the development server is started."""

    model_config = ConfigDict(extra="forbid")

    namespace: str
    ip: str = "127.0.0.1"
    port: int = Field(7233, ge=1, le=65535)
    ui_port: int = Field(8233, ge=1, le=65535)
    database: str = "temporal.db"
    log_level: Literal["debug", "info", "warn", "error", "never"] = "warn"
    search_attributes: dict[str, AttributeType]
    task_queues: TaskQueues
    sqlite: dict[str, str] = {}
    dynamic_config: dict[str, bool | int | float | str] = {}

    def flags(self, *, data_dir: Path, port: int, ui_port: int, http_port: int) -> list[str]:
        """The arguments behind `temporal`. `http_port` serves Temporal's HTTP API, which tells when it serves."""
        lists = {
            "--search-attribute": [f"{name}={kind}" for name, kind in self.search_attributes.items()],
            "--sqlite-pragma": [f"{name}={value}" for name, value in self.sqlite.items()],
            "--dynamic-config-value": [
                f"{key}={json.dumps(value)}" for key, value in self.dynamic_config.items()
            ],
        }
        return [
            *("server", "start-dev"),
            *("--namespace", self.namespace),
            *("--ip", self.ip),
            *("--port", str(port)),
            *("--http-port", str(http_port)),
            *("--ui-port", str(ui_port)),
            *("--db-filename", str(data_dir / self.database)),
            *("--log-level", self.log_level),
            "--ui-disable-news-fetch",
            *(part for flag, values in lists.items() for value in values for part in (flag, value)),
        ]


def load_temporal_dev(path: Path) -> TemporalDev:
    """Read the file. Raises TemporalDevError when it is missing, no YAML, or says something unknown."""
    try:
        return TemporalDev.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise TemporalDevError(f"{path}: {error}") from error
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise TemporalDevError(f"{path}: {'; '.join(problems)}") from error
