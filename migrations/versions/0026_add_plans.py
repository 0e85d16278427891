"""Add the plan that an enrolment was planned by, and which change of its file somebody kept it from.

Who is under way is taken as planned by the files of this release.
"""

import sqlalchemy as sa
from alembic import op

from funnel_app.campaigns.plan_text import plan_of
from funnel_app.campaigns.registry import whole_registry

revision = "0026_add_plans"
down_revision = "0025_add_wishes"

COLUMNS = {"plan": sa.Text(), "plan_kept": sa.String(16)}
ENROLMENTS = sa.table("enrolments", *(sa.column(name) for name in ("campaign", "sequence", "state", "plan")))


def upgrade() -> None:
    for name, type_ in COLUMNS.items():
        op.add_column("enrolments", sa.Column(name, type_, nullable=True))
    under_way = sa.update(ENROLMENTS).where(ENROLMENTS.c.state.in_(["active", "paused"]))
    for campaign in whole_registry().campaigns.values():
        for sequence in campaign.sequences.values():
            of = ENROLMENTS.c.campaign == campaign.name, ENROLMENTS.c.sequence == sequence.name
            op.execute(under_way.where(*of).values(plan=plan_of(campaign, sequence)))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("enrolments", name)
