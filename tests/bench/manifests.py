"""How the agencies are registered with a hub: their manifests, over PostgreSQL or over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from tests.bench.city import CERTIFICATES, LICENCE

SQL, HTTP = "sql", "rest"
DATABASE = "sources"
READER = "bench_reader"
HEAD = Template("""
[connector]
id = "$id"
agency = "$agency"
kind = "$kind"
name = { zh = "$id", en = "$id" }
tell = "none"
[connector.address]
$address
[connector.limits]
concurrency = 100
""")
SQL_ADDRESS = Template("""
host = "$host"
port = $port
database = "$database"
user = "$user"
tls = false
[connector.credentials]
password = { slot = "password" }
""")
OFFERING = Template("""
[[offerings]]
name = "$record"
record = "$record"
key = "$key"
many = $many
batch = $batch
freshness = "$freshness"
absent = "missing"
$source
[offerings.fields]
$fields
""")
VIEW = Template("""
[offerings.view]
name = "open.$view"
key = "$key"
""")
CALL = Template("""
[offerings.request]
method = "POST"
path = "/$view"
body = { keys = "$$keys" }
safe = true
[offerings.response]
rows = "rows"
key = "$key"
[[offerings.outcomes]]
status = 200
outcome = "found"
""")
PERSON = """
name = "name"
sex = { path = "sex", codes = { "0" = "0", "1" = "1", "2" = "2", "9" = "9" } }
birth_date = { path = "birth_date", date = "iso" }
address = "address"
"""
ROLE = """
uscc = "uscc"
role = { path = "role", codes = { "SHAREHOLDER" = "SHAREHOLDER" } }
since = { path = "since", date = "iso" }
"""
BUSINESS = """
name = "name"
status = { path = "status", codes = { "ACTIVE" = "ACTIVE", "REVOKED" = "REVOKED" } }
address = "address"
legal_representative = "legal_representative"
"""
CERTIFICATE = """
identifier = "identifier"
number = "number"
issued_on = { path = "issued_on", date = "iso" }
valid_until = { path = "valid_until", date = "iso" }
status = { path = "status", codes = { "01" = "01", "04" = "04", "05" = "05", "07" = "07" } }
"""
OFFERED = {  # by connector: record, key, view, fields
    "police": [("person", "id_number", "person", PERSON)],
    "market": [
        ("business_role", "person_id", "business_role", ROLE),
        ("business", "uscc", "business", BUSINESS),
    ],
    "licences": [
        *((code, "holder", code, CERTIFICATE) for code in CERTIFICATES),
        (LICENCE, "holder", "licence", CERTIFICATE),
    ],
}
ONE_A_KEY = ("person", "business")


@dataclass(frozen=True, slots=True)
class Supply:
    """Where all agencies answer, and what their manifests declare.

    ``version`` is the first step of every HTTP path, so that a swapped connector is seen at the source.
    """

    kind: str
    host: str
    port: int
    password: str = ""
    version: int = 1
    freshness: str = "PT0S"
    batch: int = 1000

    @property
    def network(self) -> str:
        """What an operator writes to let the hub reach it."""
        return f"{self.host}/32:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        """The secrets by slot."""
        return {"password": self.password} if self.kind == SQL else {}

    @property
    def url(self) -> str:
        """Where the HTTP services begin, without the offering."""
        return f"http://{self.host}:{self.port}/{self.version}"

    def manifests(self, agencies: Mapping[str, str]) -> dict[str, str]:
        """One manifest for each of the three agencies, by connector; ``agencies`` gives their codes."""
        return {
            name: self._head(name, agencies[name]) + "".join(self._offering(*part) for part in offered)
            for name, offered in OFFERED.items()
        }

    def _head(self, name: str, agency: str) -> str:
        if self.kind == SQL:
            address = SQL_ADDRESS.substitute(host=self.host, port=self.port, database=DATABASE, user=READER)
        else:
            address = f'url = "{self.url}"'
        return HEAD.substitute(id=name, agency=agency, kind=self.kind, address=address)

    def _offering(self, record: str, key: str, view: str, fields: str) -> str:
        return OFFERING.substitute(
            record=record,
            key=key,
            many="false" if record in ONE_A_KEY else "true",
            batch=self.batch,
            freshness=self.freshness,
            source=(VIEW if self.kind == SQL else CALL).substitute(view=view, key=key),
            fields=fields,
        )
