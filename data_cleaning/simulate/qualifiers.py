"""What people add to a title (regions, products, units, employers, places), and the made-up names among it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

FORMS = (", {}", " - {}", " ({})", " | {}", "{} ", " at {}", " for {}", " / {}")
"""How a qualifier is put to a title; the one without a leading space goes before it."""

_AFTER = (0, 0, 0, 1, 1, 1, 2, 3, 7)
_PREFIX = (0, 0, 1, 1, 2, 4, 4, 4)

_REGIONS = """
EMEA;North America;APAC;LATAM;Americas;Europe;Asia Pacific;Global;US;UK;Northeast;West;East;Central;South;
Midwest;Southeast;Southwest;Northwest;Canada;Nordics;DACH;Benelux;ANZ;Middle East;Africa;India;Japan;MEA;
Iberia;Northern Europe;Southern Europe;Eastern Europe;Western Europe;Latin America;Caribbean;Greater China;
ASEAN;Mid-Atlantic;Pacific Northwest;UK & Ireland;International;USA;Gulf Coast;New England;Great Lakes;
Mountain West;Central Europe;Asia;Oceania;Brazil;Mexico;Germany;France;Italy;Spain;Poland;Israel;Turkey;
South Africa;Australia;Singapore;Hong Kong;Korea;Philippines;Netherlands;Belgium;Switzerland;Sweden;Norway;
Denmark;Finland;Ireland;Portugal;Austria;Czech Republic;Hungary;Romania;Greece;Egypt;Saudi Arabia;UAE;Qatar;
Kenya;Nigeria;Argentina;Chile;Colombia;Peru;Costa Rica;Puerto Rico;Malaysia;Thailand;Indonesia;Vietnam;
Taiwan;New Zealand;Pakistan"""
_INDUSTRIES = """
Healthcare;Federal;Public Sector;Financial Services;Banking;Retail;Energy;Insurance;Higher Education;
Government;State & Local;Utilities;Life Sciences;Media;Hospitality;Oil & Gas;Pharma;K-12;Nonprofit;Travel;
Mining;Agriculture;Real Estate Group;Gaming;Food & Beverage;Consumer Goods;Wealth Division;SMB;Mid-Market"""
_UNITS = """
Corporate;Shared Services;Enterprise;Headquarters;HQ;Commercial;Consumer;Wholesale;Group;North Division;
South Division;West Division;East Division;Field;Corporate Center;Global Services;Regional Office;
Head Office;Division 1;Division 2;Group Functions;Main Office;Branch Offices;International Division;Team A;
Team B;Business Unit 2;Central Office;Region 4;Region 7"""
_NOTES = "Contract;Remote;Contractor;Acting;Interim;Part-time;Temp;Night Shift;Day Shift;Onsite;Hybrid"
_CREDENTIALS = "MBA;PhD;PMP;MS;Ph.D.;M.S.;MSc;BSc;PE;ITIL;Six Sigma;M.B.A.;BSIT;MSIT;Ed.D.;Dr."
_PRODUCTS: Mapping[str, str] = {
    "security": """
Cloud;SIEM;Splunk;IAM;CISSP;Endpoint;Firewall;SOC;CISM;CyberArk;Azure;AWS;PKI;Identity;CrowdStrike;Okta;
SailPoint;Vulnerability Management;Incident Response;Threat Intelligence;DLP;Sentinel;GCIH;CEH;OSCP;
Palo Alto;Fortinet;Email;WAF;Data Protection;Operations;Engineering;Architecture;CISSP-ISSAP;Security+;
Blue Team;Qualys;Tenable;Active Directory;EDR;MFA""",
    "networking": """
Cisco;CCNA;CCNP;CCIE;Juniper;SD-WAN;Wireless;LAN/WAN;Voice;Routing & Switching;Data Center;Arista;Aruba;
VoIP;Meraki;Optical;5G;Load Balancing;F5;Infoblox;Core;Edge;Satellite;Fiber;Operations;Tier 2;Tier 3""",
    "systems": """
Windows;Linux;VMware;Azure;AWS;GCP;Unix;Citrix;Storage;Oracle;Office 365;M365;SQL Server;Active Directory;
RHEL;Nutanix;Exchange;Hyper-V;PostgreSQL;Terraform;Ansible;OpenShift;Backup;AIX;Solaris;z/OS;Virtualization;
SCCM;Intune;MCSE;RHCE;Tier 2;Tier 3""",
    "it": """
End User Services;SAP;ERP;Oracle ERP;Service Desk;End User Computing;Applications;ITSM;Tier 1;Tier 2;Tier 3;
Support;Services;Delivery;Workplace;ITIL v4;Strategy;Projects;PMO;CRM;Asset Management;Field Services;
Client Services""",
    "governance": """
SOX;PCI;HIPAA;ISO 27001;NIST;FedRAMP;GDPR;CISA;CRISC;
PCI DSS;SOC 2;CCPA;CMMC;CIPP;Third Party;HITRUST;CIA;Controls""",
    "software": """
Java;Python;.NET;C++;Android;iOS;Backend;Frontend;React;Embedded;
Go;Node;Ruby;C#;Mobile;Full Stack;Platform;Rust;UI;PHP""",
}  # fmt: skip

_STARTS = """
al;am;an;ar;bar;bel;ber;bran;cal;cam;car;cas;cor;cov;dal;dan;del;dor;el;em;fal;fen;fer;gal;gar;gil;gran;hal;
ham;har;hol;jan;kal;kel;kir;lan;lar;lin;lor;mad;mar;mel;mer;mon;nal;nor;or;pal;par;pel;per;quin;ral;ran;rav;
ros;sal;sam;san;sel;sol;tal;tam;tan;tor;ul;val;var;ven;ver;vis;wal;wel;win;yor;zan;zel;bel;bor;chal;cran;dun;
est;far;gren;hel;holl;kan;kest;mont;nev;ost;pem;rad;sher;stan;thor;trev;wes"""
_MIDDLES = """
a;e;i;o;u;ad;an;ar;av;el;en;er;ev;il;in;is;ol;on;or;ov;ul;um;un;ander;ell;inn;ost;ett;ard;omb"""
_COMPANY_ENDS = """
co;dra;dyne;gen;ia;ient;ix;lex;lo;lux;mont;na;nix;nova;on;ora;ova;point;ra;ro;sa;star;ta;th;va;via;vo;wood;
worth;za"""
_PLACE_ENDS = """
berg;borough;bridge;burg;bury;by;dale;field;ford;ham;haven;mouth;ley;land;mond;port;shire;stead;ton;vale;
view;ville;wick"""
_COMPANY_KINDS = (
    " Inc",
    " LLC",
    "",
    "",
    "",
    " Group",
    " Corp",
    " Ltd",
    " GmbH",
    " Holdings",
    " Partners LLP",
    " & Co",
    " SA",
)

N_COMPANIES = 64_000
N_PLACES = 26_000


def _split(words: str) -> list[str]:
    return [word.strip() for word in words.split(";")]


@cache
def _names(endings: str, n_names: int) -> list[str]:
    """Make distinct names of syllables, the same ones every time."""
    starts, middles, ends = _split(_STARTS), _split(_MIDDLES), _split(endings)
    generator = np.random.default_rng(len(ends) * n_names)
    made: dict[str, None] = {}
    while len(made) < n_names:
        draws = zip(generator.integers(len(starts), size=n_names), generator.integers(len(middles), size=n_names),
                    generator.integers(len(ends), size=n_names), strict=True)  # fmt: skip
        made.update((f"{starts[start]}{middles[middle]}{ends[end]}".capitalize(), None) for start, middle, end in draws)
    return list(made)[:n_names]


def companies() -> list[str]:
    """Return the made-up employers, the most common first."""
    names = _names(_COMPANY_ENDS, N_COMPANIES)
    return [name + _COMPANY_KINDS[position % len(_COMPANY_KINDS)] for position, name in enumerate(names)]


def places() -> list[str]:
    """Return the made-up towns, the most common first."""
    return _names(_PLACE_ENDS, N_PLACES)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of qualifier: where its words lie in `vocabulary` and how they are put to a title."""

    first: int
    chances: npt.NDArray[np.float64]
    """Cumulative chance of each word, (n_words,)."""
    forms: Sequence[int]
    """Positions in `FORMS`, as often as they are common."""


@cache
def kinds() -> dict[str, Kind]:
    """Return every kind of qualifier by name."""
    return _build()[0]


@cache
def vocabulary() -> list[str]:
    """Return all qualifiers; position 0 is no qualifier."""
    return _build()[1]


def _build() -> tuple[dict[str, Kind], list[str]]:
    lists: list[tuple[str, list[str], float, Sequence[int]]] = [
        ("region", _split(_REGIONS), 0.9, _PREFIX),
        ("industry", _split(_INDUSTRIES), 0.7, (*_PREFIX, 6)),
        ("unit", _split(_UNITS), 0.7, (*_AFTER, 6)),
        ("note", _split(_NOTES), 0.7, (1, 2, 2, 2)),
        ("credential", _split(_CREDENTIALS), 0.9, (0,)),
        ("company", companies(), 0.35, (0, 1, 1, 2, 5, 5, 5, 3)),
        ("place", places(), 0.3, (0, 1, 1, 2)),
        *((name, _split(words), 0.8, _AFTER) for name, words in _PRODUCTS.items()),
    ]
    found, words = {}, [""]
    for name, listed, steepness, forms in lists:
        weights = (np.arange(len(listed)) + 2.0) ** -steepness
        found[name] = Kind(first=len(words), chances=np.cumsum(weights) / weights.sum(), forms=forms)
        words += listed
    return found, words


_PLAIN = {"region": 7.0, "company": 4.9, "place": 2.8, "note": 0.8, "credential": 1.2}

SETS: Mapping[str, tuple[float, Mapping[str, float]]] = {
    "none": (0.0, {"place": 1.0}),
    "place": (0.08, {"company": 5.0, "place": 3.0}),
    "plain": (0.27, _PLAIN),
    "security": (0.36, {**_PLAIN, "security": 6.0, "industry": 2.5, "unit": 2.0}),
    "networking": (0.34, {**_PLAIN, "networking": 6.0}),
    "systems": (0.36, {**_PLAIN, "systems": 7.0}),
    "it": (0.34, {**_PLAIN, "it": 5.0, "industry": 2.5, "unit": 2.5}),
    "governance": (0.32, {**_PLAIN, "governance": 4.0, "industry": 1.5}),
    "software": (0.34, {**_PLAIN, "software": 6.0}),
}
"""Name of a set to the share of records that carry a qualifier, and its kinds with their weights."""
