"""The variables of a Cloud Run revision in our words: plain ones with their values, secrets with their bindings."""

from google.cloud import run_v2

from vtid.adapters.cloud_run_revisions import short_name
from vtid.domain.drift import RevisionSettings


def revision_settings(revision: run_v2.Revision, percent: int) -> RevisionSettings:
    """What the containers of this revision are given."""
    plain: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for container in revision.containers:
        for variable in container.env:
            reference = variable.value_source.secret_key_ref
            if reference.secret:
                secrets[variable.name] = f"{short_name(reference.secret)}:{reference.version or 'latest'}"
            else:
                plain[variable.name] = variable.value
    mounted = [short_name(volume.secret.secret) for volume in revision.volumes if volume.secret.secret]
    return RevisionSettings(short_name(revision.name), percent, plain, secrets, tuple(mounted))
