"""From an agency's sample to a served, typed fact: drafts, two officers, a file, a question; no restart."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.audit.model import AgencyCode
from hub.catalogue.model import FieldCode, RecordCode
from hub.documents.model import Submitted
from hub.documents.service import DocumentService
from hub.documents.store import DocumentStore
from hub.grants.model import Grant
from hub.grants.service import GrantService
from hub.grants.store import GrantStore
from hub.kernel.db import Database
from schema.trusted import checked
from tests.connectors import files_samples as samples
from tests.connectors.files_samples import ANNA
from tests.graphql.conftest import AGENCY, BUREAU, CLIENT, PROCEDURE, Counter, town
from tests.graphql.test_files import ROOT, Officer, counter, officer
from tests.graphql.town import POLICE
from tests.http.conftest import until

__all__ = ["counter", "officer", "town"]

SAMPLE = """身份证号,姓名,参保状态,累计缴费月数
11010519491231002X,王安娜,参保,120
360426199101010071,欧阳·贝,停保,36
"""
VALID = "11100000000013338W"  # a code that an agency could have; the town's are short of a check digit
CODE = RecordCode("social_insurance")
QUESTION = """query Q($id: ResidentIdNumber!) { person(idNumber: $id) {
  name
  certificates(types: ["social_insurance"]) { ... on SocialInsurance { monthsPaid insuredStatus } }
} }"""
MORE = """[records.social_insurance.fields.more]
type = "text"
name = { zh = "更多", en = "More" }
"""


class Desk:
    """Runs the commands as the two officers do, and counts them."""

    def __init__(self, officer: Officer) -> None:
        self.officer = officer
        self.commands = 0

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.commands += 1
        command = [sys.executable, "-m", "hub", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.officer.environ, capture_output=True, text=True, check=False
        )

    def does(self, *arguments: str) -> str:
        ran = self.run(*arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.strip()


def drafted(desk: Desk, folder: Path) -> tuple[Path, Path]:
    """Drafts from a sample, with what is marked filled in as the officer would."""
    sample = folder / "social_insurance.csv"
    sample.write_text(SAMPLE, encoding="utf-8")
    named = ("--id", "social", "--agency", VALID)
    desk.does("connector", "new", "--from", str(sample), "--out", str(folder), *named)
    manifest, sheet = folder / "social.toml", folder / "social.records.toml"
    manifest.write_text(manifest.read_text("utf-8").replace(VALID, POLICE.code), encoding="utf-8")
    filled = sheet.read_text("utf-8").replace('legal_basis = ""', 'legal_basis = "《社会保险法》第七十四条"')
    sheet.write_text(filled, encoding="utf-8")
    return manifest, sheet


async def test_a_sample_becomes_a_typed_fact_in_eight_commands(
    counter: Counter, officer: Officer, owner_database: Database, tmp_path: Path
) -> None:
    await owner_database.execute(
        "INSERT INTO catalogue.officer VALUES ($1, $2, TRUE)", BUREAU.account, BUREAU.agency
    )
    officer.run("load", str(officer.write(samples.csv())), "--connector", "hr-insurance")
    desk = Desk(officer)
    manifest, sheet = drafted(desk, tmp_path)
    li_na, bureau = ("--officer", "li.na"), ("--officer", BUREAU.account)
    desk.does("connector", "check", str(manifest))
    assert desk.does("connector", "types", str(sheet), *bureau) == CODE
    assert desk.does("connector", "propose", str(manifest), *li_na) == "1"
    desk.does("connector", "approve", "social", "1", *bureau)
    desk.does("connector", "activate", "social", "1", *li_na)
    drop = officer.write(SAMPLE.encode(), "social_insurance.csv")
    desk.does("files", "load", str(drop), "--connector", "social")
    assert desk.commands <= 8
    await until(lambda: CODE in counter.hub.catalogue.active.snapshot.records)
    await until(lambda: "social" in counter.hub.catalogue.active.connectors)
    records = counter.hub.catalogue.active.snapshot.records
    fields = frozenset({FieldCode("months_paid"), FieldCode("insured_status"), FieldCode("holder")})
    ends = datetime.now(UTC) + timedelta(days=1)
    grant = Grant(CLIENT, AgencyCode(AGENCY), PROCEDURE, CODE, fields, ends)
    await GrantService(GrantStore(owner_database), counter.hub.clock).put(grant, records)
    reply = await counter.ask(QUESTION, {"id": ANNA})
    assert reply.codes == [], reply.body
    assert reply.body["data"]["person"] == {
        "name": "王安娜",
        "certificates": [{"monthsPaid": "120", "insuredStatus": "参保"}],
    }
    assert desk.run("connector", "types", str(sheet), *li_na).returncode == 1, "the bureau keeps the types"


async def test_a_type_that_a_trusted_document_reads_cannot_lose_its_field(
    counter: Counter, officer: Officer, owner_database: Database, tmp_path: Path
) -> None:
    await owner_database.execute(
        "INSERT INTO catalogue.officer VALUES ($1, $2, TRUE)", BUREAU.account, BUREAU.agency
    )
    desk = Desk(officer)
    _, sheet = drafted(desk, tmp_path)
    bureau = ("--officer", BUREAU.account)
    desk.does("connector", "types", str(sheet), *bureau)
    await until(lambda: CODE in counter.hub.catalogue.active.snapshot.records)
    contract, _ = counter.hub.answering.contract()
    good, mistakes = checked(contract, [Submitted(None, QUESTION)])
    assert mistakes == []
    await DocumentService(DocumentStore(owner_database)).add(good)
    whole = sheet.read_text("utf-8")
    sheet.write_text(whole.replace("fields.months_paid", "fields.months"), encoding="utf-8")
    refused = desk.run("connector", "types", str(sheet), *bureau)
    assert refused.returncode == 1
    assert "HUB-423" in refused.stderr
    assert "Q" in refused.stderr
    sheet.write_text(whole + MORE, encoding="utf-8")
    desk.does("connector", "types", str(sheet), *bureau)
    clash = whole.replace("records.social_insurance", "records.person")
    sheet.write_text(clash, encoding="utf-8")
    assert "HUB-420" in desk.run("connector", "types", str(sheet), *bureau).stderr
    sheet.write_text(whole.replace("records.social_insurance", "records.query"), encoding="utf-8")
    assert "HUB-420" in desk.run("connector", "types", str(sheet), *bureau).stderr
