//! Organisations of our own making, with what is true of them: abbreviations, other legal forms, slips of the finger,
//! offices that were moved, tenants of one house with one switchboard, branches of one name; and many empty fields.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::Record;

const FIRST: &[&str] = &[
    "Aire",
    "Calder",
    "Northern",
    "Pennine",
    "Albion",
    "Beacon",
    "Cardinal",
    "Dale",
    "Ember",
    "Falcon",
    "Granite",
    "Harbour",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Linden",
    "Meridian",
    "Nidd",
    "Orchard",
    "Pioneer",
    "Quarry",
    "Ridings",
    "Sterling",
    "Thornton",
    "Ullswater",
    "Vanguard",
    "Wharfe",
    "York",
    "Zenith",
    "Ashworth",
    "Bradley",
    "Crossley",
    "Dyson",
    "Ellis",
    "Fairfax",
    "Greenwood",
    "Holroyd",
    "Illingworth",
    "Jagger",
    "Kershaw",
    "Lister",
    "Midgley",
    "Naylor",
    "Ogden",
    "Priestley",
    "Rawson",
    "Sutcliffe",
    "Taylor",
    "Uttley",
    "Varley",
    "Whitaker",
    "Saint Mary",
    "Saint John",
    "Holy Cross",
    "Victoria",
    "Kingsway",
    "Riverside",
    "Hillside",
    "Oakwood",
    "Elmfield",
];
const TRADE: &[&str] = &[
    "Engineering",
    "Robotics",
    "Energy",
    "Consulting",
    "Foods",
    "Textiles",
    "Software",
    "Systems",
    "Logistics",
    "Architects",
    "Solicitors",
    "Partners",
    "Recruitment",
    "Pharmaceuticals",
    "Manufacturing",
    "Construction",
    "Design",
    "Media",
    "Analytics",
    "Education",
    "Primary School",
    "Academy",
    "Nursery",
    "Community Centre",
    "Children Centre",
    "Housing Association",
    "Hospital",
    "Hotel",
    "Care Services",
    "Insurance",
    "Finance",
    "Technology",
    "International",
    "Environmental Services",
    "Building Supplies",
    "Day Care",
    "Learning Center",
    "Development Institute",
];
const LEGAL: &[&str] = &[
    "Ltd",
    "Limited",
    "plc",
    "LLP",
    "Inc",
    "Group Ltd",
    "(UK) Ltd",
    "",
    "",
    "",
];
const STREET: &[&str] = &[
    "High",
    "Church",
    "Station",
    "Park",
    "Victoria",
    "Albert",
    "Queen",
    "King",
    "Mill",
    "North",
    "South",
    "York",
    "Leeds",
    "Bradford",
    "Wellington",
    "Kirkgate",
    "Briggate",
    "Otley",
    "Harrogate",
    "Cardigan",
    "Woodhouse",
    "Clarendon",
    "Cemetery",
    "Meadow",
    "Canal",
    "Bridge",
    "Chapel",
    "School",
    "Manor",
    "Grange",
];
const WAY: &[(&str, &str)] = &[
    ("Street", "St"),
    ("Road", "Rd"),
    ("Lane", "Ln"),
    ("Avenue", "Ave"),
    ("Drive", "Dr"),
    ("Court", "Ct"),
    ("Place", "Pl"),
];
const CITY: &[&str] = &["Leeds", "Bradford", "York", "Wakefield", "Harrogate"];
const SHORT: &[(&str, &str)] = &[
    ("Engineering", "Eng"),
    ("Manufacturing", "Mfg"),
    ("International", "Intl"),
    ("Services", "Svcs"),
    ("Centre", "Ctr"),
    ("Association", "Assoc"),
    ("Hospital", "Hosp"),
    ("Saint", "St"),
    ("Technology", "Tech"),
    ("Development", "Dev"),
    ("Center", "Cntr"),
    ("School", "Sch"),
];

pub struct Made {
    pub records: Vec<Record>,
    /// Which organisation each record is of.
    pub of: Vec<usize>,
}

struct Truth {
    name: String,
    legal: &'static str,
    house: u32,
    street: usize,
    way: usize,
    city: usize,
    postcode: String,
    telephone: String,
    second: String,
    domain: String,
    number: String,
}

pub fn make(records: usize, seed: u64) -> Made {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut made = Made {
        records: Vec::new(),
        of: Vec::new(),
    };
    let mut nth = 0;
    while made.records.len() < records {
        let truth = truth(&mut rng);
        // Some are neighbours: one house and one switchboard. Some are branches: one name and one site on the web.
        let mut family = vec![truth];
        match rng.random_range(0..100) {
            0..6 => {
                for _ in 0..rng.random_range(1..4) {
                    let mut tenant = self::truth(&mut rng);
                    let host = &family[0];
                    (tenant.house, tenant.street, tenant.way, tenant.city) =
                        (host.house, host.street, host.way, host.city);
                    tenant.postcode.clone_from(&host.postcode);
                    if rng.random_bool(0.5) {
                        tenant.telephone.clone_from(&host.telephone);
                    }
                    family.push(tenant);
                }
            }
            6..12 => {
                for n in 0..rng.random_range(1..6) {
                    let mut branch = self::truth(&mut rng);
                    let host = &family[0];
                    branch.name = if rng.random_bool(0.5) {
                        host.name.clone()
                    } else {
                        format!("{} {}", host.name, STREET[(n * 7 + 3) % STREET.len()])
                    };
                    branch.legal = host.legal;
                    branch.domain.clone_from(&host.domain);
                    family.push(branch);
                }
            }
            _ => {}
        }
        for truth in family {
            let copies = match rng.random_range(0..100) {
                0..45 => 1,
                45..75 => 2,
                75..88 => 3,
                88..95 => 4,
                _ => rng.random_range(5..9),
            };
            let moved = rng.random_bool(0.06).then(|| self::truth(&mut rng));
            for copy in 0..copies {
                let old = if copy > 0 && rng.random_bool(0.5) {
                    moved.as_ref()
                } else {
                    None
                };
                made.records.push(write(&mut rng, &truth, old));
                made.of.push(nth);
            }
            nth += 1;
        }
    }
    made
}

fn truth(rng: &mut StdRng) -> Truth {
    let mut name = (*FIRST.choose(rng).unwrap()).to_owned();
    if rng.random_bool(0.5) {
        name = format!(
            "{name} {}{}",
            if rng.random_bool(0.4) { "& " } else { "" },
            FIRST.choose(rng).unwrap()
        );
    }
    name = format!("{name} {}", TRADE.choose(rng).unwrap());
    let domain = format!("{}.example", name.to_lowercase().replace([' ', '&'], ""));
    let phone = |rng: &mut StdRng| {
        format!(
            "0113 {:03} {:04}",
            rng.random_range(200..999),
            rng.random_range(0..10_000)
        )
    };
    let letter = |rng: &mut StdRng| char::from(b"ABDEFGHJLNPQRSTUWXYZ"[rng.random_range(0..20)]);
    Truth {
        name,
        legal: LEGAL.choose(rng).unwrap(),
        house: rng.random_range(1..200),
        street: rng.random_range(0..STREET.len()),
        way: rng.random_range(0..WAY.len()),
        city: rng.random_range(0..CITY.len()),
        postcode: format!(
            "LS{} {}{}{}",
            rng.random_range(1..29),
            rng.random_range(1..10),
            letter(rng),
            letter(rng)
        ),
        telephone: phone(rng),
        second: phone(rng),
        domain,
        number: format!("{:08}", rng.random_range(100_000..14_000_000)),
    }
}

fn write(rng: &mut StdRng, truth: &Truth, old: Option<&Truth>) -> Record {
    let mut name = truth.name.clone();
    for (long, short) in SHORT {
        if rng.random_bool(0.3) {
            name = name.replace(long, short);
        }
    }
    if rng.random_bool(0.3) {
        name = name.replace('&', "and");
    }
    if rng.random_bool(0.12) {
        // Said in fewer words.
        let words: Vec<&str> = name.split(' ').collect();
        if words.len() > 2 {
            name = words[..words.len() - 1].join(" ");
        }
    }
    if rng.random_bool(0.12) {
        name = slip(rng, &name);
    }
    let legal = if rng.random_bool(0.6) {
        truth.legal
    } else {
        LEGAL.choose(rng).unwrap()
    };
    if !legal.is_empty() {
        name = format!("{name} {legal}");
    }
    if rng.random_bool(0.15) {
        name = name.to_uppercase();
    }
    let at = old.unwrap_or(truth);
    let (long, short) = WAY[at.way];
    let mut address = format!(
        "{} {} {}",
        at.house,
        STREET[at.street],
        if rng.random_bool(0.5) { long } else { short }
    );
    if rng.random_bool(0.1) {
        address = format!("Unit {}, {address}", rng.random_range(1..20));
    }
    if rng.random_bool(0.07) {
        address = slip(rng, &address);
    }
    if rng.random_bool(0.3) {
        address = format!("{address}, {}", CITY[at.city]);
    }
    let telephone = match rng.random_range(0..100) {
        0..80 => truth.telephone.clone(),
        80..92 => truth.second.clone(),
        92..96 => slip(rng, &truth.telephone),
        _ => truth.telephone.split_once(' ').unwrap().1.to_owned(),
    };
    Record {
        name,
        address: rng.random_bool(0.85).then_some(address),
        postcode: rng.random_bool(0.7).then(|| at.postcode.clone()),
        telephones: rng
            .random_bool(0.6)
            .then_some(telephone)
            .into_iter()
            .collect(),
        domains: rng
            .random_bool(0.25)
            .then(|| truth.domain.clone())
            .into_iter()
            .collect(),
        number: rng.random_bool(0.15).then(|| truth.number.clone()),
        ..Record::default()
    }
}

pub fn slip(rng: &mut StdRng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = rng.random_range(0..letters.len() - 1);
    match rng.random_range(0..4) {
        0 => {
            letters.remove(at);
        }
        1 => letters.swap(at, at + 1),
        2 => {
            let c = letters[at];
            letters.insert(at, c);
        }
        _ => {
            letters[at] = if letters[at].is_ascii_digit() {
                '7'
            } else {
                'e'
            }
        }
    }
    letters.into_iter().collect()
}
