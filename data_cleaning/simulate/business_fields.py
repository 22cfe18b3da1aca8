"""The fields of the title grammar outside technology: buying, law, and the many departments that no vendor asks for."""

from data_cleaning.simulate.fields import Field

PROCUREMENT = Field(
    family="procurement", function="Procurement", role="Non-ICP",
    disciplines={"Procurement": 10, "Purchasing": 6, "Sourcing": 3, "Strategic Sourcing": 4, "Supply Chain": 5,
                 "Category|Category|Category Management": 2, "Vendor|Vendor|Vendor Management": 2,
                 "Vendor Management": 1.5,
                 "Indirect Procurement": 0.8, "Global Procurement": 0.8, "Supplier Management": 0.6,
                 "Purchasing & Supply Chain": 0.5, "Global Sourcing": 0.6, "Supply Chain Operations": 0.4},
    jobs={"Specialist": 5, "Analyst": 5, "Buyer": 2, "Coordinator": 2, "Agent": 1.5, "Associate": 0.8, "Officer": 0.6,
          "Assistant": 0.4},
)  # fmt: skip

LEGAL = Field(
    family="legal", function="Risk/Legal/Compliance", role="Non-ICP",
    disciplines={"Legal|Legal|Legal Affairs": 4, "Legal": 4, "Legal Operations": 1, "Contracts & Legal": 0.3},
    jobs={"Counsel": 5, "Assistant": 2, "Advisor": 1, "Analyst": 1, "Specialist": 1, "Secretary": 0.6},
)  # fmt: skip

SALES = Field(
    family="business", function="Non-ICP", role="Non-ICP", weight=4,
    disciplines={"Sales": 10, "Inside Sales": 1.5, "Channel Sales": 1, "Enterprise Sales": 1, "Regional Sales": 1,
                 "Business Development": 5, "Channel": 1.5, "Cybersecurity Sales": 0.8, "Security Sales": 0.5,
                 "IT Sales": 0.4, "Software Sales": 0.5, "Network Sales": 0.3, "Cloud Sales": 0.4,
                 "Sales Operations": 0.8,
                 "International Sales": 0.8, "Technical Sales": 0.6, "Partner Sales": 0.5, "Key Account": 0.8},
    jobs={"Representative": 5, "Associate": 2, "Executive": 4, "Specialist": 3, "Consultant": 2, "Coordinator": 1},
)  # fmt: skip

MARKETING = Field(
    family="business", function="Non-ICP", role="Non-ICP", weight=3,
    disciplines={"Marketing": 10, "Product Marketing": 2, "Digital Marketing": 2, "Field Marketing": 1,
    "Communications": 2,
                 "Corporate Communications": 0.6, "Public Relations": 0.8, "Brand": 0.6, "Events": 0.8,
                 "Content Marketing": 0.5, "Cybersecurity Marketing": 0.2, "Internal Communications": 0.5,
                 "Product": 2, "Demand Generation": 0.4},
    jobs={"Specialist": 5, "Coordinator": 4, "Associate": 2, "Assistant": 1.5, "Strategist": 0.6},
)  # fmt: skip

FINANCE = Field(
    family="business", function="Non-ICP", role="Non-ICP", weight=2.5,
    disciplines={"Finance": 6, "Financial|Finance": 3, "Accounting": 4, "Treasury": 1, "Tax": 1.2, "Payroll": 1,
                 "Accounts Payable": 1, "Financial Planning": 0.6, "Billing": 0.6, "Investment": 0.6},
    jobs={"Analyst": 6, "Specialist": 2, "Associate": 2, "Assistant": 2, "Clerk": 0.8, "Coordinator": 0.8},
)  # fmt: skip

PEOPLE = Field(
    family="business", function="Non-ICP", role="Non-ICP", weight=1.8,
    disciplines={"HR": 6, "Human Resources": 6, "Talent Acquisition": 2, "Recruiting": 1, "Training": 1.2,
                 "IT Recruiting": 0.2, "Technical Recruiting": 0.2, "Learning & Development": 0.8, "Benefits": 0.6},
    jobs={"Specialist": 4, "Coordinator": 3, "Assistant": 2, "Associate": 1, "Generalist": 1},
)  # fmt: skip

OPERATIONS = Field(
    family="business", function="Non-ICP", role="Non-ICP", weight=3.2,
    disciplines={"Operations": 10, "Business Operations": 2, "Facilities": 2, "Customer Service": 2,
    "Customer Success": 3,
                 "Office": 1.5, "Logistics": 1, "Warehouse": 0.8, "Store": 0.8, "Branch": 0.8, "Plant": 0.8,
                 "Strategy": 1.2, "Administration": 0.8, "Real Estate": 0.6, "Construction": 0.8, "Retail": 0.6,
                 "Physical Security": 0.5, "Loss Prevention": 0.6, "Security Guard": 0.15, "Restaurant": 0.3,
                 "Hotel": 0.3, "Fleet": 0.3, "Production": 0.8, "Maintenance": 0.8, "Merchandising": 0.3},
    jobs={"Coordinator": 4, "Specialist": 4, "Associate": 3, "Assistant": 2, "Clerk": 0.8},
)  # fmt: skip

CARE_AND_SCHOOL = Field(
    family="business", function="Non-ICP", role="Non-ICP", weight=1.2,
    disciplines={"Clinical": 3, "Nursing": 2, "Pharmacy": 1, "Patient Services": 1, "Education": 1.5, "Admissions": 0.6,
                 "Student Services": 0.6, "Library": 0.8, "Laboratory": 1, "Radiology": 0.4, "Physical Therapy": 0.4,
                 "Social Work": 0.3, "Early Childhood": 0.3, "Athletics": 0.4},
    jobs={"Coordinator": 3, "Specialist": 3, "Assistant": 3, "Technician": 1},
)  # fmt: skip

BUSINESS_FIELDS = (PROCUREMENT, LEGAL, SALES, MARKETING, FINANCE, PEOPLE, OPERATIONS, CARE_AND_SCHOOL)
