"""What a blocked run has done is read from its events, so that nothing is said twice."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_column("dead_letters", "side_effects")


def downgrade() -> None:
    op.add_column("dead_letters", sa.Column("side_effects", sa.JSON(), nullable=False, server_default="[]"))
