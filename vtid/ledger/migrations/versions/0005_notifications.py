"""Who wants to be told, what each was told, and every try."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("environments", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("position", COUNT, nullable=False),
        sa.Column("generation", COUNT, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("rotated_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("name", name="uq_subscriptions_name"),
    )
    op.create_table(
        "outgoing",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("vtid", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", COUNT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("last_status", COUNT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing"),
        sa.UniqueConstraint("subscription_id", "event_id", name="uq_outgoing_subscription_id_event_id"),
    )
    op.create_index("ix_outgoing_state_next_at", "outgoing", ["state", "next_at"])
    op.create_index("ix_outgoing_created_at_id", "outgoing", ["created_at", "id"])
    op.create_table(
        "outgoing_tries",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("milliseconds", COUNT, nullable=False),
        sa.Column("status", COUNT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["outgoing.id"], name="fk_outgoing_tries_delivery_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_tries"),
    )
    op.create_index("ix_outgoing_tries_delivery_id", "outgoing_tries", ["delivery_id"])


def downgrade() -> None:
    op.drop_table("outgoing_tries")
    op.drop_table("outgoing")
    op.drop_table("subscriptions")
