"""Add the codes of reasons, and whether a chat refused a notice: what the words alone said until now."""

import sqlalchemy as sa
from alembic import op

revision = "0027_add_reason_codes"
down_revision = "0026_add_plans"

REFUSED = "refused: "
# The words of each code as releases before this one wrote them, from their beginning.
CODES = {
    "sent_by_website": "sent by the website",
    "sent_before_cut_over": "sent before the cut-over",
    "step_taken_out": "its step was taken out of the campaign's file",
    "step_came_late": "its step came into the campaign's file behind an email that had gone",
    "no_test_recipient": "testing mode: the address is not in TEST_RECIPIENTS",
    "resend_refuses_all": "Resend refuses the key, the account or the sender",
}
EMAILS = sa.table("emails", sa.column("reason", sa.Text()), sa.column("reason_code", sa.String()))
NOTICES = sa.table("notices", sa.column("last_error", sa.Text()), sa.column("refused", sa.Boolean()))


def upgrade() -> None:
    op.add_column("emails", sa.Column("reason_code", sa.String(32), nullable=True))
    op.add_column("notices", sa.Column("refused", sa.Boolean(), nullable=False, server_default=sa.false()))
    reason = EMAILS.c.reason
    code = sa.case(*((reason.startswith(words, autoescape=True), code) for code, words in CODES.items()))
    known = sa.or_(*(reason.startswith(words, autoescape=True) for words in CODES.values()))
    op.execute(EMAILS.update().where(known).values(reason_code=code))
    error = NOTICES.c.last_error
    words = sa.func.substr(error, len(REFUSED) + 1)
    op.execute(NOTICES.update().where(error.startswith(REFUSED)).values(refused=True, last_error=words))


def downgrade() -> None:
    op.execute(NOTICES.update().where(NOTICES.c.refused).values(last_error=REFUSED + NOTICES.c.last_error))
    op.drop_column("notices", "refused")
    op.drop_column("emails", "reason_code")
