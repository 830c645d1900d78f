"""What became of the deployment of a run that is over."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("runs", sa.Column("serving", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("serving_says", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("serving_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_runs_serving", "runs", ["serving"])


def downgrade() -> None:
    op.drop_index("ix_runs_serving", "runs")
    op.drop_column("runs", "serving_since")
    op.drop_column("runs", "serving_says")
    op.drop_column("runs", "serving")
