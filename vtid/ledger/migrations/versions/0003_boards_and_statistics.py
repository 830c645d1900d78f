"""What the board and the statistics search by, and who can move a waiting run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("runs", sa.Column("who", sa.Text(), nullable=True))
    op.create_index("ix_tasks_status_updated_at_vtid", "tasks", ["status", "updated_at", "vtid"])
    op.create_index("ix_events_type_at", "events", ["type", "at"])


def downgrade() -> None:
    op.drop_index("ix_events_type_at", "events")
    op.drop_index("ix_tasks_status_updated_at_vtid", "tasks")
    op.drop_column("runs", "who")
