"""Write a session's changes with one statement a table and kind of change."""

from sqlalchemy.orm import Session


def write_at_once(session: Session) -> None:
    """Write a session's changed and new objects, and detach them: do not change them afterwards.

    Only for sessions in which no new row refers to another new one and none was deleted: a flush spends most of its
    time on the order of its statements.
    """
    session.bulk_save_objects([*session.dirty, *session.new])
    session.expunge_all()
