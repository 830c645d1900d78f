"""Webhooks of the code host."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("repository", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", COUNT, nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("heard", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_received_at_delivery_id", "deliveries", ["received_at", "delivery_id"])
    op.create_index("ix_deliveries_state_received_at", "deliveries", ["state", "received_at"])


def downgrade() -> None:
    op.drop_table("deliveries")
