"""The engine and its sessions, one pool per process."""

from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from benchmarks.peers.coursework.bank import BankRow, KeptBank
from benchmarks.peers.coursework.place import SQLALCHEMY_URL
from benchmarks.peers.coursework.tables import ItemRatingRow, QuestionRow

engine = create_engine(SQLALCHEMY_URL, pool_size=20, max_overflow=20)
Session = sessionmaker(engine, expire_on_commit=False, autoflush=False)


def read_bank() -> list[BankRow]:
    """Every question with its rating."""
    query = select(
        QuestionRow.id, QuestionRow.version, QuestionRow.body, ItemRatingRow.rating, ItemRatingRow.answers
    ).outerjoin(ItemRatingRow, ItemRatingRow.question_id == QuestionRow.id)
    with Session() as session:
        return [(*row,) for row in session.execute(query)]


bank = KeptBank(read_bank)
