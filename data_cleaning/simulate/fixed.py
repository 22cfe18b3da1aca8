"""Titles that no pattern makes: company heads, acronyms, traps for keyword tables, and titles that say nothing."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Titles of one family that share one meaning."""

    family: str
    function: str
    role: str
    level: str
    titles: Mapping[str, float]
    """Title to its weight among the fixed titles of its family and level."""
    grades: str = "none"
    """Set of `ranks.GRADES` that the titles may carry."""
    qualifiers: str = "place"
    """Set of `qualifiers.SETS` that the titles may carry."""
    country: str = ""
    """Where the title's language is spoken; empty for English."""


def _group(family: str, meaning: tuple[str, str, str], titles: Mapping[str, float] | str, grades: str = "none",
           qualifiers: str = "place") -> Fixed:  # fmt: skip
    """Build a group; titles in one string are separated by semicolons and weigh the same."""
    if isinstance(titles, str):
        titles = dict.fromkeys((" ".join(title.split()) for title in titles.split(";")), 1.0)
    function, role, level = meaning
    return Fixed(family=family, function=function, role=role, level=level, titles=titles, grades=grades,
                 qualifiers=qualifiers)  # fmt: skip


_SECURITY = ("IT", "Information Security")
_IT = ("IT", "IT General")
_GOVERNANCE = ("Risk/Legal/Compliance", "Governance Risk Compliance")
_LEGAL = ("Risk/Legal/Compliance", "Non-ICP")
_BUYING = ("Procurement", "Non-ICP")
_MAKING = ("Engineering", "Non-ICP")
_OTHER = ("Non-ICP", "Non-ICP")

HEADS = (
    _group("security", (*_SECURITY, "C-Level"), {
        "CISO": 40, "Chief Information Security Officer": 20, "Chief Information Security Officer (CISO)": 2, "CSO": 2,
        "Chief Security Officer": 4, "Global CISO": 1.5, "Group CISO": 0.8, "Interim CISO": 0.5, "CISO & VP": 0.3,
        "CTO & CISO": 0.4, "IT Director / CISO": 0.3, "CIO & CISO": 1, "CIO/CISO": 1, "CISO, VP": 0.6, "VP & CISO": 1,
        "VP, CISO": 1.5,
        "SVP & CISO": 0.7, "SVP, CISO": 0.7, "CISO, Director of IT": 0.3, "CISO / VP of Information Security": 0.3,
        "Chief Cyber Security Officer": 0.4, "Chief Cybersecurity Officer": 0.4, "Acting CISO": 0.3,
        "Co-Founder & CISO": 0.2, "Chief Information Security Officer & VP": 0.2, "Regional CISO": 0.3,
        "Director of Information Security & CISO": 0.2, "Head of Information Security & CISO": 0.2,
        "Vice President & Chief Information Security Officer": 0.4, "Chief Product Security Officer": 0.2,
    }),
    _group("it", (*_IT, "C-Level"), {
        "CIO": 40, "Chief Information Officer": 18, "CTO": 30, "Chief Technology Officer": 16, "CTO & Co-Founder": 1.5,
        "Co-Founder & CTO": 1.5, "Founder & CTO": 0.7, "CIO/CTO": 0.8, "CIO & CTO": 0.4, "VP & CIO": 1, "VP, CIO": 1,
        "SVP & CIO": 0.8, "SVP, CIO": 0.7, "CTO/Executive Director": 0.3, "Chief Technical Officer": 1.5,
        "Chief Information Officer (CIO)": 0.8, "Group CIO": 0.7, "Interim CIO": 0.5, "CTO & COO": 0.2,
        "Vice President & Chief Information Officer": 0.6, "Founder, CTO": 0.3, "Owner / IT Director": 0.2,
        "Global CIO": 0.5, "Chief Technology Officer (CTO)": 0.5, "Chief Information & Technology Officer": 0.3,
        "CIO / VP of IT": 0.2, "President & CTO": 0.2, "Partner & CTO": 0.2, "Chief IT Officer": 0.3,
        "Acting CIO": 0.3, "CTO, Partner": 0.15, "Regional CIO": 0.3, "Divisional CIO": 0.2,
        "Associate Dean & CIO": 0.1,
    }),
    _group("engineering", (*_MAKING, "C-Level"), {
        "Co-Founder & VP Engineering": 2, "Founder & Software Engineer": 1, "Chief Engineering Officer": 3,
        "Co-Founder / Software Developer": 1, "Founder / Developer": 0.6, "Co-Founder & Head of Engineering": 1,
    }),
    _group("governance", (*_GOVERNANCE, "C-Level"), {
        "Chief Risk Officer": 10, "Chief Compliance Officer": 10, "Chief Privacy Officer": 6,
        "Chief Audit Executive": 4,
        "VP, Chief Compliance Officer": 1, "Chief Risk & Compliance Officer": 1.5, "Chief Risk Officer (CRO)": 0.6,
        "SVP, Chief Risk Officer": 0.6, "Chief Ethics & Compliance Officer": 1, "Chief Data Privacy Officer": 0.6,
    }),
    _group("legal", (*_LEGAL, "C-Level"), "Chief Legal Officer; Chief Legal Officer & Corporate Secretary"),
    _group("legal", (*_LEGAL, "Executive"), {"General Counsel": 20, "VP, General Counsel": 3, "VP & General Counsel": 3,
           "SVP, General Counsel": 1, "Assistant VP, Legal": 0.5, "General Counsel & VP": 0.7}),
    _group("procurement", (*_BUYING, "C-Level"), "Chief Procurement Officer; Chief Supply Chain Officer"),
    _group("business", (*_OTHER, "C-Level"), {
        "CEO": 30, "President": 14, "Founder": 6, "Owner": 12, "COO": 8, "CFO": 12, "CMO": 4,
        "Chief Executive Officer": 5,
        "Chief Financial Officer": 5, "Chief Operating Officer": 4, "Chief Marketing Officer": 2, "Co-Founder": 4,
        "President & CEO": 4, "Founder & CEO": 4, "CEO & Founder": 3, "CEO & Co-Founder": 2, "Chairman": 1.5,
        "Chairman & CEO": 0.6, "Board Member": 1.5, "CHRO": 0.8, "Chief Human Resources Officer": 0.8,
        "Chief People Officer": 0.7, "Chief Medical Officer": 0.6, "Chief Nursing Officer": 0.5,
        "Chief Strategy Officer": 0.7,
        "Chief Revenue Officer": 1, "Chief Commercial Officer": 0.5, "Owner/Operator": 0.8, "Owner & President": 0.8,
        "Founder & Managing Partner": 0.4, "President & COO": 0.5, "VP & CFO": 0.4, "CEO/President": 0.8,
        "Member of the Board": 0.4, "Business Owner": 0.8, "Chief Customer Officer": 0.4, "Founder and Principal": 0.2,
        "Chief Administrative Officer": 0.4, "Chief Sales Officer": 0.3, "Board Director": 0.3, "Chairwoman": 0.2,
        "Founding Partner & CEO": 0.3, "Interim CEO": 0.2, "CEO / Owner": 0.6, "Chief Product Officer": 0.5,
    }),
    _group("business", (*_OTHER, "Executive"), {
        "Vice President": 10, "VP": 8, "Partner": 5, "Managing Director": 8, "General Manager": 8, "Principal": 3,
        "Managing Partner": 3, "Senior Vice President": 3, "SVP": 2, "AVP": 2, "EVP": 1.5,
        "Executive Vice President": 1.5,
        "Assistant Vice President": 2, "Senior Partner": 0.6, "Vice President & General Manager": 0.6,
        "President, Americas": 0.4, "President, North America": 0.4, "President, Consumer Products": 0.3,
        "President, Desktops": 0.2, "Regional President": 0.5, "Division President": 0.5, "Managing Principal": 0.4,
    }),
    _group("business", (*_OTHER, "Director"), {
        "Director": 20, "Executive Director": 8, "Senior Director": 3, "Associate Director": 3, "Assistant Director": 2,
        "Chief of Staff": 3, "Deputy Director": 2, "Regional Director": 2, "International Director": 0.5,
        "Program Director": 1, "Project Director": 1, "Deputy Chief of Staff": 0.3,
    }),
    _group("business", (*_OTHER, "Manager"), {
        "Manager": 24, "Project Manager": 14, "Program Manager": 8, "Senior Manager": 6, "Supervisor": 4,
        "Team Lead": 4,
        "Account Manager": 10, "Sr. Manager": 2, "Product Manager": 8, "Team Leader": 2, "Senior Project Manager": 3,
        "Senior Product Manager": 2, "Technical Account Manager": 2, "Assistant Manager": 3, "Superintendent": 1,
        "Construction Superintendent": 0.5, "Nurse Manager": 1, "Case Manager": 0.8, "Engagement Manager": 0.8,
        "Territory Manager": 1, "Technical Product Manager": 0.8, "Senior Account Manager": 1.5,
        "Shift Supervisor": 0.5,
    }),
    _group("business", (*_OTHER, "Contributor"), {
        "Consultant": 16, "Analyst": 8, "Account Executive": 14, "Executive Assistant": 8,
        "Administrative Assistant": 8,
        "Sales Engineer": 8, "Professor": 4, "Teacher": 5, "Associate": 6, "Senior Consultant": 4,
        "Registered Nurse": 2,
        "Physician": 1.5, "Assistant Professor": 1.5, "Associate Professor": 1.5, "Accountant": 4, "Recruiter": 3,
        "Intern": 3, "Coordinator": 2, "Specialist": 2, "Officer": 1, "Advisor": 1.5, "Office Assistant": 1,
        "Graphic Designer": 1.5, "Product Designer": 1.2, "UX Designer": 1.2, "Instructor": 1.5, "Lecturer": 1,
        "Receptionist": 1, "Journalist": 0.8, "Editor": 0.6, "Sales": 3, "Marketing": 2.5, "Finance": 1,
        "Operations": 1.2,
        "HR": 1, "Accounting": 0.6, "Senior Account Executive": 2, "HR Business Partner": 1, "Research Assistant": 1,
        "Senior Associate": 2, "Principal Consultant": 1.2, "Management Consultant": 1, "Librarian": 1,
        "Bookkeeper": 0.8,
        "Customer Success Representative": 0.6, "Economist": 0.3, "Pharmacist": 0.5, "Electrician": 0.5, "Driver": 0.4,
        "Committee Member": 0.6, "Realtor": 0.5, "Realty Broker": 0.2, "Writer": 0.5, "Chef": 0.2,
    }),
)  # fmt: skip

WORKERS = (
    _group("security", (*_SECURITY, "Contributor"), {
        "ISSO": 8, "Security Engineer / Network Engineer": 0.3, "Information System Security Officer": 4, "ISSE": 2,
        "Penetration Tester": 6, "Ethical Hacker": 2,
        "Incident Responder": 2, "Malware Analyst": 2, "SOC Analyst Tier 1": 1, "SOC Analyst Tier 2": 1,
        "SOC Analyst L1": 0.7, "SOC Analyst L2": 0.7, "SOC Analyst Level 3": 0.4,
        "Information Systems Security Officer": 3,
        "Security Researcher": 2, "Digital Forensics Examiner": 1, "Cyber Threat Intelligence Analyst": 2,
        "Pentester": 1.5,
        "Vulnerability Analyst": 1, "Information System Security Engineer": 2, "BISO": 1, "Bug Bounty Hunter": 0.4,
        "Cyber Intelligence Analyst": 1, "Web Application Penetration Tester": 0.6, "SIEM Content Developer": 0.3,
        "Cryptographer": 0.3,
    }, grades="contributor", qualifiers="plain"),
    _group("security", (*_SECURITY, "Contributor"), {"Security": 10, "Cyber Security": 5, "Information Security": 6,
           "Cybersecurity": 5, "InfoSec": 3, "IT Security": 4, "Cyber": 1, "Network Security": 1.5, "SOC": 0.6}),
    _group("security", (*_SECURITY, "Manager"), {"ISSM": 8, "Information System Security Manager": 4,
    "SOC Shift Lead": 1,
           "Information Systems Security Manager": 2, "Lead Information Security": 1, "Lead Cyber Security": 0.5,
           "Cyber Security Project Manager": 2, "Security Program Manager": 3, "Lead IT Security": 0.4}),
    _group("it", (*_IT, "Contributor"), {"IT": 20, "Information Technology": 8, "IT Support": 4, "Help Desk": 3,
           "Technology": 1.5, "Tech Support": 2, "IT Department": 1.5, "Service Desk": 1, "Technical Support": 1,
           "IT Team": 0.4, "I.T.": 0.6, "IT Services": 0.5}),
    _group("it", (*_IT, "Contributor"), {"Solutions Architect": 12, "Enterprise Architect": 8, "Solution Architect": 5,
           "Technical Architect": 1.5, "IT Technician": 3, "Computer Technician": 1.5, "Technical Support Engineer": 5,
           "Systems Analyst": 8, "Business Systems Analyst": 4, "ERP Consultant": 1, "BI Administrator": 0.6,
           "Computer Support Specialist": 1.5, "IT Guy": 0.4, "Desktop Support Technician": 1.5,
           "IT Project Coordinator": 1}, grades="contributor", qualifiers="plain"),
    _group("it", (*_IT, "Manager"), {"IT Project Manager": 8, "IT Program Manager": 3, "IT Team Lead": 2,
    "Lead IT": 0.5,
           "Technology Manager": 2, "IT Service Delivery Manager": 2, "Help Desk Team Lead": 1, "ERP Manager": 1},
           grades="manager", qualifiers="plain"),
    _group("it", (*_IT, "Executive"), {"Head of IT": 4, "VP of IT": 4, "VP IT": 3, "VP Technology": 2, "VP, IT": 2,
           "VP Information Technology": 2}),
    _group("networking", ("IT", "Networking", "Contributor"), {"Network": 2, "Networking": 1.5,
    "CCIE Network Engineer": 0.3, "Network Engineer / Systems Administrator": 0.4,
           "Network Operations Center Technician": 1, "Telecom": 0.5}, grades="none"),
    _group("systems", ("IT", "Systems", "Contributor"), {"DBA": 8, "Sysadmin": 5, "SysAdmin": 1,
    "Database Administrator": 6,
           "Oracle DBA": 2, "Systems Administrator / Network Administrator": 0.5, "SQL DBA": 1.5,
           "Systems Administrator": 10, "Systems Engineer": 14, "Infrastructure": 0.8,
           "Cloud Engineer": 6, "DevOps Engineer": 8, "System Administrator": 8, "System Engineer": 5, "DevOps": 1},
           grades="contributor", qualifiers="systems"),
    _group("planted systems", ("IT", "Systems", "Contributor"), {"SRE": 1}, grades="contributor"),
    _group("governance", (*_GOVERNANCE, "Contributor"), {"Data Protection Officer": 4, "DPO": 1.5, "Compliance": 1.5,
           "Auditor": 4, "Privacy Counsel": 1.5, "Compliance Counsel": 1, "Privacy Attorney": 0.6,
           "Risk Management": 0.6,
           "Internal Auditor": 4, "IT Auditor": 6, "Compliance Officer": 5, "Audit Associate": 0.6,
           "FedRAMP Compliance Analyst": 0.3, "Certified Internal Auditor": 0.3},
           grades="plainworker", qualifiers="governance"),
    _group("governance", (*_GOVERNANCE, "Manager"), {"Internal Audit Manager": 3, "Manager, IT Audit": 3,
           "IT Audit Manager": 3, "Risk Manager": 4, "Compliance Manager": 4, "Audit Manager": 3, "GRC Manager": 3,
           "Privacy Manager": 1.5, "Senior Manager, Internal Audit": 1}, qualifiers="governance"),
    _group("it", ("IT", "Governance Risk Compliance", "Manager"), {"Data Governance Manager": 0.6,
           "Manager, Data Governance": 0.2, "Data Governance Lead": 0.2}, qualifiers="plain"),
    _group("it", ("IT", "Governance Risk Compliance", "Contributor"), {"Data Governance Analyst": 0.6,
           "Data Governance Specialist": 0.4}, grades="contributor", qualifiers="plain"),
    _group("legal", (*_LEGAL, "Contributor"), {"Attorney": 8, "Lawyer": 5, "Paralegal": 5, "Legal Counsel": 5,
           "Corporate Counsel": 3, "Associate Attorney": 2, "Senior Counsel": 3, "Associate General Counsel": 1.5,
           "Contract Attorney": 0.6, "Legal Assistant": 2, "Law Clerk": 0.6, "Solicitor": 0.8, "Legal": 1,
           "Assistant General Counsel": 1}, grades="none"),
    _group("procurement", (*_BUYING, "Contributor"), {"Buyer": 10, "Senior Buyer": 4, "Purchasing Agent": 3,
           "Procurement": 1.5, "Purchasing": 1.5, "Category Buyer": 0.5, "Sourcing Specialist": 1, "Supply Chain": 0.6},
           qualifiers="plain"),
    _group("engineering", (*_MAKING, "Contributor"), {"Software Engineer": 24, "Software Developer": 10, "Engineer": 8,
           "Data Scientist": 8, "Data Engineer": 5, "Data Analyst": 8, "Developer": 5, "Web Developer": 4,
           "Programmer": 3,
           "Full Stack Developer": 3, "QA Engineer": 3, "QA Analyst": 3, "Software Architect": 3, "Engineering": 2,
           "Mechanical Engineer": 3, "Electrical Engineer": 3, "Project Engineer": 2, "Programmer Analyst": 2,
           "Solutions Engineer": 3, "Application Developer": 2, "ServiceNow Developer": 1, "Salesforce Developer": 1,
           "Research Scientist": 1.5, "Computer Scientist": 0.6, "Software Tester": 0.8, "Civil Engineer": 1.5,
           "Design Engineer": 1, "Machine Learning Engineer": 2, "Software Engineer in Test": 0.5,
           "Computer Programmer": 0.6, "Research Engineer": 0.8}, grades="contributor"),
    _group("engineering", (*_MAKING, "Manager"), {"Engineering Manager": 12, "Software Engineering Manager": 5,
           "QA Manager": 4, "QA Lead": 3, "Software Development Manager": 4, "Development Manager": 2,
           "R&D Manager": 2},
           grades="manager"),
    _group("engineering", (*_MAKING, "Executive"), {"VP Engineering": 6, "VP of Engineering": 8,
    "Head of Engineering": 3,
           "VP, Engineering": 3, "SVP Engineering": 1, "VP R&D": 1}),
    _group("engineering", (*_MAKING, "Director"), {"Director of Engineering": 8, "Engineering Director": 3,
           "Director, Software Engineering": 3, "Senior Director of Engineering": 1}),
)  # fmt: skip

TRAPS = (
    _group("trap", (*_SECURITY, "Director"), {"Deputy CISO": 8, "Deputy Chief Information Security Officer": 2}),
    _group("trap", (*_IT, "Director"), {"Deputy CIO": 5, "Deputy CTO": 2, "Deputy Chief Information Officer": 1.5,
           "Deputy Head of IT": 1.5, "Deputy Chief Technology Officer": 0.6}),
    _group("trap", (*_OTHER, "Contributor"), {
        "Executive Assistant to the CIO": 4, "Executive Assistant to CISO": 2, "Executive Assistant to the CEO": 3,
        "Assistant to the CIO": 1, "Executive Assistant to the CTO": 2, "EA to CIO": 1,
        "Director's Office Coordinator": 2,
        "Administrative Assistant to the Director of IT": 1, "CEO Office Assistant": 0.5, "IT Recruiter": 5,
        "Technical Recruiter": 4, "Cybersecurity Recruiter": 3, "Security Recruiter": 1.5,
        "Lead Generation Specialist": 3,
        "Security Guard": 5, "Armed Security Guard": 1, "Security Guard Officer": 0.5, "Security Patrol Officer": 1,
        "Loss Prevention Officer": 2, "Loss Prevention Associate": 1, "Account Executive, Cybersecurity": 2,
        "Cybersecurity Account Executive": 2, "Cloud Sales Specialist": 2, "Security Sales Specialist": 1.5,
        "Cybersecurity Sales Representative": 1, "Security Sales Engineer": 2, "Sales Engineer, Network Security": 1,
        "Data Entry Clerk": 2, "Marketing Data Analyst": 2, "HR Data Analyst": 1, "Sales Data Analyst": 1,
        "Finance Data Analyst": 1, "International Sales Representative": 1, "Internal Communications Specialist": 1,
        "Professor of Computer Science": 2, "Computer Science Teacher": 1, "Cyber Security Professor": 0.6,
        "Product Designer, Security": 0.5, "Physical Security Specialist": 1, "Board Committee Member": 0.4,
        "Talent Acquisition Partner, IT": 0.6, "Medical Director's Assistant": 0.4,
        "Secretary to the Chief Information Officer": 0.5, "President's Office Assistant": 0.5,
        "Vice Principal's Secretary": 0.2,
        "IT Staffing Consultant": 0.8, "Business Partner, HR": 0.5, "Marketing Analytics Analyst": 0.4,
    }, qualifiers="none"),
    _group("trap", (*_OTHER, "Manager"), {
        "Cybersecurity Sales Manager": 3, "IT Recruiting Manager": 1.5, "Product Manager, Security": 2,
        "Security Product Manager": 2, "Product Marketing Manager, Cloud Security": 1.5,
        "Account Manager, IT Security": 1,
        "Cybersecurity Account Manager": 1.5, "Channel Partner Manager": 2, "Partner Manager": 2,
        "Security Guard Supervisor": 1,
        "Loss Prevention Manager": 2, "Physical Security Manager": 2, "International Sales Manager": 2,
        "Internal Communications Manager": 1, "IT Sales Manager": 2, "Executive Office Manager": 1,
        "Director's Office Manager": 0.5, "Marketing Manager, Cybersecurity": 1.5, "Sales Engineering Manager": 1.5,
        "Technical Recruiting Manager": 0.6, "Partner Marketing Manager": 1, "Territory Sales Manager, Security": 0.6,
        "Lead Generation Manager": 0.8, "Marketing Analytics Manager": 0.8, "Network Sales Manager": 0.6,
    }, qualifiers="none"),
    _group("trap", (*_OTHER, "Director"), {
        "Sales Director, Cybersecurity": 3, "Director of Sales, Cybersecurity": 2, "Director of Loss Prevention": 1.5,
        "Director of Physical Security": 1.5, "Director of Security Sales": 1, "Director, IT Recruiting": 1,
        "Director, Product Marketing, Cloud Security": 1, "Director of International Sales": 1,
        "Chief of Staff to the CEO": 1, "Director of Product Management, Security": 1, "Director, Partner Marketing": 1,
        "Regional Sales Director, Network Security": 1,
    }, qualifiers="none"),
    _group("trap", (*_OTHER, "Executive"), {
        "VP Sales, Cybersecurity": 2, "VP of Security Sales": 1, "Head of Cybersecurity Marketing": 1,
        "Head of IT Recruiting": 0.6, "VP, Cloud Sales": 1, "Head of Physical Security": 0.8,
        "General Manager, Security Guard Services": 0.3, "Partner, Cybersecurity Recruiting": 0.3,
    }, qualifiers="none"),
    _group("trap", (*_GOVERNANCE, "Contributor"), {"Security Compliance Analyst": 3, "Cybersecurity Auditor": 2,
           "Information Security Auditor": 2, "Security Auditor": 2, "IT Compliance Analyst": 2,
           "Security Governance Analyst": 1, "Cloud Compliance Analyst": 0.6, "Network Compliance Auditor": 0.2}),
    _group("trap", (*_GOVERNANCE, "Director"), {"Director, Internal Audit": 2, "Director of IT Audit": 2,
           "Director of Security Compliance": 1, "Director of Risk Management": 1}),
    _group("trap", (*_MAKING, "Contributor"), {"Systems Engineer, Manufacturing": 2,
    "Manufacturing Systems Engineer": 2,
           "Systems Engineer, Satellite Products": 0.6, "Aircraft Systems Engineer": 1,
           "Automotive Systems Engineer": 0.8,
           "Professional Services Engineer": 2, "Machine Learning Scientist": 1, "Lead Software Engineer": 2,
           "Principal Software Engineer": 2}, qualifiers="none"),
    _group("trap", ("IT", "Systems", "Contributor"), {"Lead DevOps Engineer": 3, "Principal Systems Engineer": 2,
           "Principal Cloud Architect": 1.5, "Lead Cloud Engineer": 1, "Data Warehouse Administrator": 1}),
    _group("trap", (*_SECURITY, "Contributor"), {"Network Security Engineer": 4, "Lead Security Engineer": 2,
           "Principal Security Architect": 2, "Security Systems Administrator": 1, "Staff Security Engineer": 2}),
    _group("trap", (*_SECURITY, "Executive"), {"VP / Director of Information Security": 1,
    "Head of Product Security": 1}),
    _group("trap", (*_IT, "Manager"), {"Executive IT Manager": 0.4, "IT Lead": 3}),
)  # fmt: skip

_REMARKS = """
I do not have one; same as before; see above; none of the above; why do you need to know this; whatever you want it
to be; you already have this; nothing at the moment; I am between jobs; no longer with them; not sure what to put
here; just browsing; please do not call me; we are only two people; all of it, everything; who is asking; it depends
on who you ask; anyone and everyone; this should not be required; they call me many things; here for the first time;
still looking; because I must fill this in; over and out; it has been a while; until further notice; somewhere else
now; he is no longer here; she has left us; her replacement; our friend; both of us; too many to list; never mind;
almost done; back in two weeks; what does it say on the form; how about you; if only I knew; could be anything;
would you believe it; yourself; nobody; out of my hands; there were none; myself and others; off to the next thing;
once again nothing; under their own name; whenever you like, or not; by and by; upon request; something or other;
with or without it; as is; beyond me; from time to time; no one ever asks; up to you"""

JUNK = (
    _group("junk", (*_OTHER, "Unknown"), {
        "N/A": 20, "NA": 6, "n/a": 14, "-": 8, "--": 2, ".": 4, "asdf": 4, "test": 6, "none": 5, "None": 4, "Other": 12,
        "Student": 16, "Retired": 7, "Self": 3, "Unknown": 3, "x": 3, "xx": 1.5, "xxx": 1.5, "abc": 1.5, "123": 2,
        "Mr": 2,
        "Mr.": 1, "Ms": 1, "Not applicable": 1.5, "Unemployed": 1.5, "Individual": 1, "Home": 0.6, "Private": 0.6,
        "qwerty": 0.8,
        "aaa": 0.8, "asd": 1, "Graduate Student": 2, "PhD Student": 1.2, "sdfsdf": 0.6, "?": 0.8, "College Student": 1,
        "job": 0.6, "title": 0.5, "Job Title": 0.6, "no title": 0.6, "TBD": 0.6, "undefined": 0.4, "null": 0.5,
        "jjj": 0.3,
        "University Student": 0.7, "Retiree": 0.4, "High School Student": 0.4, "self employed": 1.2,
        "Guest": 0.5, "Me": 0.4, "Customer": 0.5, "Computer Science Student": 0.7, "tester123": 0.2, "00000": 0.3,
        "1": 0.8,
    }, qualifiers="none"),
    # What people write instead of a title when the form insists on one.
    _group("junk", (*_OTHER, "Unknown"), _REMARKS, qualifiers="none"),
    _group("junk", (*_OTHER, "Unknown"), {
        # These words stand for nothing but the company or place put in their stead.
        "{company}": 14, "{place}": 7,
    }, qualifiers="none"),
)  # fmt: skip
