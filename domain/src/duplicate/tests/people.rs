//! People of our own making, with what is true of them: initials, short forms, titles, slips of the finger, names turned round,
//! new employers; namesakes, families at one firm, shared mailboxes and switchboards; and many empty fields.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{
    Employer, Record,
    made::{Made, slip},
};

const FIRST: &[(&str, &str)] = &[
    ("Alexander", "Alex"),
    ("Andrew", "Andy"),
    ("Benjamin", "Ben"),
    ("Catherine", "Cath"),
    ("Christopher", "Chris"),
    ("Daniel", "Dan"),
    ("David", "Dave"),
    ("Elizabeth", "Liz"),
    ("Jennifer", "Jenny"),
    ("Michael", "Mike"),
    ("Nicholas", "Nick"),
    ("Rebecca", "Becky"),
    ("Robert", "Bob"),
    ("Stephen", "Steve"),
    ("Susan", "Sue"),
    ("Thomas", "Tom"),
    ("Victoria", "Vicky"),
    ("William", "Will"),
    ("Aisha", "Aisha"),
    ("Amina", "Amina"),
    ("Chloe", "Chloe"),
    ("Divya", "Divya"),
    ("Emma", "Emma"),
    ("Farah", "Farah"),
    ("Grace", "Grace"),
    ("Hannah", "Hannah"),
    ("Imran", "Imran"),
    ("Karen", "Karen"),
    ("Laura", "Laura"),
    ("Nadia", "Nadia"),
    ("Oliver", "Oliver"),
    ("Priya", "Priya"),
    ("Rachel", "Rachel"),
    ("Sana", "Sana"),
    ("Wei", "Wei"),
];
const LAST: &[&str] = &[
    "Ahmed",
    "Ashworth",
    "Barker",
    "Begum",
    "Booth",
    "Byrne",
    "Chan",
    "Clark",
    "Davies",
    "Dyson",
    "Evans",
    "Firth",
    "Greenwood",
    "Haigh",
    "Hussain",
    "Iqbal",
    "Jackson",
    "Jones",
    "Kaur",
    "Khan",
    "Lister",
    "Mistry",
    "Moss",
    "Naylor",
    "Novak",
    "Patel",
    "Pickles",
    "Quinn",
    "Rawson",
    "Roberts",
    "Shah",
    "Sharma",
    "Smith",
    "Sutcliffe",
    "Taylor",
    "Thackray",
    "Varley",
    "Walker",
    "Whitaker",
    "Williams",
    "Wilson",
    "Wood",
    "Yusuf",
    "Zhang",
];
const TRADE: &[&str] = &[
    "Robotics",
    "Energy",
    "Consulting",
    "Foods",
    "Textiles",
    "Software",
    "Logistics",
    "Architects",
];
const PLACE: &[&str] = &[
    "Aire", "Calder", "Pennine", "Albion", "Beacon", "Dale", "Harbour", "Kestrel", "Meridian",
    "Nidd", "Ridings", "Wharfe",
];

const TITLES: &[(&str, &str)] = &[
    ("HR Manager", "HR Mgr"),
    ("Graduate Recruitment Manager", "Grad Recruitment Manager"),
    ("Managing Director", "MD"),
    ("Office Manager", "Office Mgr"),
    ("Talent Partner", "Talent Acquisition Partner"),
    ("Senior Engineer", "Snr Engineer"),
    ("Head of People", "People Director"),
    ("Placement Coordinator", "Placements"),
    ("Marketing Executive", "Marketing Exec"),
];

struct Firm {
    name: String,
    /// Somebody has put it in twice.
    twice: bool,
    domain: String,
    switchboard: String,
}

struct Truth {
    first: usize,
    last: &'static str,
    direct: String,
    firm: usize,
    next_firm: Option<usize>,
    own_mail: bool,
    title: usize,
}

fn phone(rng: &mut StdRng) -> String {
    format!(
        "0113 {:03} {:04}",
        rng.random_range(200..999),
        rng.random_range(0..10_000)
    )
}

pub fn make(records: usize, seed: u64) -> Made {
    let mut rng = StdRng::seed_from_u64(seed);
    let firms: Vec<Firm> = (0..records / 6)
        .map(|nth| {
            let name = format!(
                "{} {}",
                PLACE.choose(&mut rng).unwrap(),
                TRADE.choose(&mut rng).unwrap()
            );
            let domain = format!("{}{nth}.example", name.to_lowercase().replace(' ', ""));
            let twice = rng.random_bool(0.1);
            Firm {
                name: format!("{name} {nth}"),
                twice,
                domain,
                switchboard: phone(&mut rng),
            }
        })
        .collect();
    let mut made = Made {
        records: Vec::new(),
        of: Vec::new(),
    };
    let mut nth = 0;
    while made.records.len() < records {
        let firm = rng.random_range(0..firms.len());
        let person = |rng: &mut StdRng, firm: usize| Truth {
            first: rng.random_range(0..FIRST.len()),
            last: LAST.choose(rng).unwrap(),
            direct: phone(rng),
            firm,
            next_firm: rng
                .random_bool(0.08)
                .then(|| rng.random_range(0..firms.len())),
            own_mail: rng.random_bool(0.85),
            title: rng.random_range(0..TITLES.len()),
        };
        let mut family = vec![person(&mut rng, firm)];
        if rng.random_bool(0.06) {
            // A relative at the same firm.
            let mut relative = person(&mut rng, firm);
            relative.last = family[0].last;
            if relative.first != family[0].first {
                family.push(relative);
            }
        }
        for truth in family {
            let copies = match rng.random_range(0..100) {
                0..55 => 1,
                55..85 => 2,
                85..95 => 3,
                _ => 4,
            };
            for copy in 0..copies {
                let record = write(&mut rng, &truth, &firms, copy);
                made.records.push(record);
                made.of.push(nth);
            }
            nth += 1;
        }
    }
    made
}

fn write(rng: &mut StdRng, truth: &Truth, firms: &[Firm], copy: usize) -> Record {
    let (full, short) = FIRST[truth.first];
    let mut first = if rng.random_bool(0.25) {
        short.to_owned()
    } else {
        full.to_owned()
    };
    if rng.random_bool(0.12) {
        first.truncate(1);
    }
    let mut last = truth.last.to_owned();
    if rng.random_bool(0.08) {
        last = slip(rng, &last);
    }
    let mut name = match rng.random_range(0..100) {
        0..86 => format!("{first} {last}"),
        86..93 => format!("{last}, {first}"),
        _ => format!("Dr {first} {last}"),
    };
    if rng.random_bool(0.1) {
        name = name.to_uppercase();
    }
    let firm = truth.next_firm.filter(|_| copy > 0).unwrap_or(truth.firm);
    let (at, firm) = (firm as u128, &firms[firm]);
    let mail = match (truth.own_mail, rng.random_range(0..100)) {
        (false, _) => format!("info@{}", firm.domain),
        (true, 0..8) => format!(
            "{}{}@gmail.com",
            full.to_lowercase(),
            truth.last.to_lowercase()
        ),
        (true, 8..20) => format!(
            "{}{}@{}",
            &full[..1].to_lowercase(),
            truth.last.to_lowercase(),
            firm.domain
        ),
        _ => format!(
            "{}.{}@{}",
            full.to_lowercase(),
            truth.last.to_lowercase(),
            firm.domain
        ),
    };
    let telephone = if rng.random_bool(0.5) {
        &truth.direct
    } else {
        &firm.switchboard
    };
    let (title, other_title) = TITLES[truth.title];
    let second = firm.twice && rng.random_bool(0.3);
    let employer = Employer {
        name: format!("{}{}", firm.name, if second { " Ltd" } else { "" }),
        ids: vec![if second { at + 1_000_000 } else { at }],
        group: firm.twice.then_some(at),
    };
    Record {
        name,
        employer: Some(employer),
        telephones: rng
            .random_bool(0.5)
            .then(|| telephone.clone())
            .into_iter()
            .collect(),
        emails: rng.random_bool(0.7).then_some(mail).into_iter().collect(),
        job_title: rng.random_bool(0.6).then(|| {
            if rng.random_bool(0.7) {
                title
            } else {
                other_title
            }
            .to_owned()
        }),
        ..Record::default()
    }
}
