"""Titles in other languages, read by meaning: "Leiter" is a head of, "Responsable" and "Gerente" are managers."""

from data_cleaning.simulate.fixed import Fixed

_SECURITY = ("IT", "Information Security")
_NETWORKING = ("IT", "Networking")
_SYSTEMS = ("IT", "Systems")
_IT = ("IT", "IT General")
_MAKING = ("Engineering", "Non-ICP")
_GOVERNANCE = ("Risk/Legal/Compliance", "Governance Risk Compliance")
_BUYING = ("Procurement", "Non-ICP")
_OTHER = ("Non-ICP", "Non-ICP")

_TITLES: tuple[tuple[str, tuple[str, str], str, str], ...] = (
    # Country, function and role, level, titles
    (
        "Germany",
        _IT,
        "Executive",
        "Leiter IT; IT-Leiter; Leiter Informationstechnik; Leiter EDV; Leiterin IT; Leiter der IT",
    ),
    ("Germany", _SECURITY, "Executive", "Leiter IT-Sicherheit; Leiter Informationssicherheit; Leiterin IT-Sicherheit"),
    (
        "Germany",
        _SECURITY,
        "Contributor",
        "IT-Sicherheitsbeauftragter; Informationssicherheitsbeauftragter; IT-Sicherheitsanalyst",
    ),
    ("Germany", _SYSTEMS, "Contributor", "Systemadministrator; Datenbankadministrator; Systemadministratorin"),
    ("Germany", _NETWORKING, "Contributor", "Netzwerkadministrator; Netzwerktechniker; Netzwerkadministratorin"),
    ("Germany", _IT, "Contributor", "IT-Mitarbeiter; Fachinformatiker; IT-Sachbearbeiter; IT-Berater; EDV-Mitarbeiter"),
    ("Germany", _IT, "Manager", "Teamleiter IT; IT-Projektleiter; Teamleiterin IT; Teamleiter IT-Support"),
    ("Germany", _NETWORKING, "Manager", "Teamleiter Netzwerk; Teamleiter Netzwerke"),
    ("Germany", _MAKING, "Contributor", "Softwareentwickler; Entwicklungsingenieur; Softwareentwicklerin"),
    ("Germany", _GOVERNANCE, "Contributor", "Datenschutzbeauftragter; Datenschutzbeauftragte; Innenrevisor"),
    ("Germany", _BUYING, "Contributor", "Einkäufer; Strategischer Einkäufer; Einkäuferin"),
    ("Germany", _OTHER, "Contributor", "Vertriebsmitarbeiter; Buchhalter; Sachbearbeiterin; Außendienstmitarbeiter"),
    ("Germany", _OTHER, "Executive", "Geschäftsführer; Leiter Vertrieb; Geschäftsführerin; Leiter Marketing"),
    ("Germany", _OTHER, "Unknown", "Rentner; keine Angabe; Schüler"),
    (
        "Spain",
        _IT,
        "Director",
        "Director de TI; Director de Informática; Director de Sistemas de Información; Directora de TI",
    ),
    (
        "Spain",
        _IT,
        "Manager",
        "Responsable de Informática; Responsable de TI; Gerente de TI; Responsable de Sistemas de Información",
    ),
    (
        "Spain",
        _SECURITY,
        "Manager",
        "Responsable de Seguridad Informática; Gerente de Ciberseguridad; Responsable de Ciberseguridad",
    ),
    ("Spain", _SECURITY, "Director", "Director de Ciberseguridad; Director de Seguridad de la Información"),
    (
        "Spain",
        _SECURITY,
        "Contributor",
        "Analista de Seguridad Informática; Ingeniero de Ciberseguridad; Analista de Ciberseguridad",
    ),
    (
        "Spain",
        _SYSTEMS,
        "Contributor",
        "Administrador de Sistemas; Administrador de Bases de Datos",
    ),
    ("Spain", _NETWORKING, "Contributor", "Administrador de Redes; Ingeniero de Redes; Especialista en Redes"),
    ("Spain", _IT, "Contributor", "Técnico Informático; Técnico de Soporte; Soporte Técnico; Informático"),
    ("Spain", _MAKING, "Contributor", "Desarrollador de Software; Ingeniero de Software; Programador"),
    ("Spain", _GOVERNANCE, "Contributor", "Auditor Interno; Auditor de Sistemas; Oficial de Cumplimiento"),
    ("Spain", _BUYING, "Manager", "Responsable de Compras; Gerente de Compras"),
    ("Spain", _OTHER, "Executive", "Director General; Gerente General; Socio"),
    ("Spain", _OTHER, "Contributor", "Comercial; Profesor; Contable"),
    ("Spain", _OTHER, "Unknown", "Estudiante; Ninguno; Jubilado"),
    ("Mexico", _IT, "Manager", "Gerente de Sistemas de Información; Gerente de Tecnología; Supervisor de TI"),
    ("Mexico", _SECURITY, "Manager", "Gerente de Seguridad de la Información; Gerente de Seguridad Informática"),
    (
        "France",
        _IT,
        "Director",
        "Directeur Informatique; Directeur des Systèmes d'Information; Directrice Informatique",
    ),
    (
        "France",
        _IT,
        "Manager",
        "Responsable Informatique; Responsable IT; Chef de projet informatique; Chef de projet IT",
    ),
    (
        "France",
        _SECURITY,
        "Contributor",
        "Ingénieur Sécurité; Analyste Cybersécurité; Consultant Cybersécurité; Ingénieur Cybersécurité",
    ),
    ("France", _SECURITY, "Manager", "Responsable Sécurité Informatique; Responsable Cybersécurité"),
    (
        "France",
        _SYSTEMS,
        "Contributor",
        "Administrateur Système; Ingénieur Système; Administrateur Systèmes et Réseaux",
    ),
    (
        "France",
        _NETWORKING,
        "Contributor",
        "Ingénieur Réseau; Administrateur Réseau; Technicien Réseau; Ingénieur Réseaux",
    ),
    ("France", _IT, "Contributor", "Technicien Informatique; Technicien Support; Informaticien"),
    ("France", _MAKING, "Contributor", "Développeur; Ingénieur Logiciel; Développeur Web"),
    ("France", _GOVERNANCE, "Contributor", "Délégué à la protection des données; Auditeur Interne"),
    ("France", _BUYING, "Contributor", "Acheteur; Acheteuse; Acheteur IT"),
    ("France", _OTHER, "Executive", "Directeur Général; Associé; Directrice Générale"),
    ("France", _OTHER, "Contributor", "Commercial; Comptable; Enseignant; Assistante de direction"),
    ("France", _OTHER, "Unknown", "Étudiant; Retraité; Aucun"),
    (
        "Italy",
        _IT,
        "Manager",
        "Responsabile IT; Responsabile Sistemi Informativi; Responsabile ICT; Responsabile Informatico",
    ),
    ("Italy", _IT, "Director", "Direttore IT; Direttore Sistemi Informativi"),
    ("Italy", _SYSTEMS, "Contributor", "Sistemista; Amministratore di Sistema; Sistemista Senior"),
    ("Italy", _NETWORKING, "Contributor", "Amministratore di Rete; Tecnico di Rete"),
    ("Italy", _SECURITY, "Manager", "Responsabile Sicurezza Informatica; Responsabile Cybersecurity"),
    ("Italy", _MAKING, "Contributor", "Sviluppatore; Ingegnere del Software; Programmatore"),
    ("Italy", _OTHER, "C-Level", "Amministratore Delegato; Titolare"),
    ("Italy", _OTHER, "Contributor", "Impiegato commerciale; Insegnante"),
    ("Brazil", _IT, "Manager", "Gerente de Informática; Gerente de Tecnologia da Informação"),
    ("Brazil", _IT, "Director", "Diretor de TI; Diretor de Tecnologia; Diretora de TI"),
    ("Brazil", _IT, "Contributor", "Analista de Suporte; Analista de TI; Técnico de Informática; Analista de Sistemas"),
    (
        "Brazil",
        _SECURITY,
        "Contributor",
        "Analista de Segurança da Informação; Especialista em Segurança da Informação",
    ),
    ("Brazil", _SECURITY, "Manager", "Gerente de Segurança da Informação; Gerente de Segurança Cibernética"),
    ("Brazil", _SYSTEMS, "Contributor", "Administrador de Banco de Dados; Analista de Infraestrutura"),
    ("Brazil", _NETWORKING, "Contributor", "Analista de Redes; Engenheiro de Redes; Administrador de Rede"),
    ("Brazil", _MAKING, "Contributor", "Desenvolvedor; Engenheiro de Software; Desenvolvedor Full Stack"),
    ("Brazil", _BUYING, "Contributor", "Comprador; Analista de Compras"),
    ("Brazil", _OTHER, "C-Level", "Sócio Fundador; Proprietário"),
    ("Brazil", _OTHER, "Unknown", "Estudante; Aposentado"),
    ("Netherlands", _IT, "Executive", "Hoofd ICT; Hoofd Automatisering; Hoofd IT; Hoofd Informatisering"),
    ("Netherlands", _SYSTEMS, "Contributor", "Systeembeheerder; Senior Systeembeheerder; Databasebeheerder"),
    ("Netherlands", _NETWORKING, "Contributor", "Netwerkbeheerder; Netwerk Engineer; Senior Netwerkbeheerder"),
    ("Netherlands", _IT, "Contributor", "ICT Medewerker; Applicatiebeheerder; Medewerker ICT; Helpdeskmedewerker"),
    ("Netherlands", _IT, "Manager", "Teamleider ICT; Projectleider ICT; Teamleider IT"),
    ("Netherlands", _BUYING, "Contributor", "Inkoper; Strategisch Inkoper"),
    ("Netherlands", _OTHER, "C-Level", "Eigenaar; Oprichter"),
    ("Japan", _NETWORKING, "Contributor", "ネットワークエンジニア; ネットワーク管理者"),
    ("Japan", _SECURITY, "Contributor", "セキュリティエンジニア; 情報セキュリティ担当; セキュリティアナリスト"),
    ("Japan", _SYSTEMS, "Contributor", "システム管理者; インフラエンジニア"),
    ("Japan", _MAKING, "Contributor", "ソフトウェアエンジニア; プログラマー"),
    ("Japan", _OTHER, "C-Level", "代表取締役; 代表取締役社長"),
    ("Japan", _OTHER, "Contributor", "営業; 経理"),
    ("Japan", _OTHER, "Unknown", "学生; なし"),
)

FOREIGN: tuple[Fixed, ...] = tuple(
    Fixed(family="foreign", function=function, role=role, level=level, country=country,
          titles=dict.fromkeys((title.strip() for title in titles.split(";")), 1.0))
    for country, (function, role), level, titles in _TITLES
)  # fmt: skip
