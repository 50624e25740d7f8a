use super::{
    super::organisations::{OrganisationField, read},
    *,
};

fn of(header: &StringRecord, given: &[Mapped]) -> Result<Mapping<OrganisationField>, MappingError> {
    Mapping::of(header, given, &[])
}

fn header(columns: &[&str]) -> StringRecord {
    StringRecord::from(columns.to_vec())
}

#[test]
fn well_known_columns_need_no_mapping() {
    let mapping = of(
        &header(&["Symbol", "Security", "GICS Sector", "Date added", "CIK"]),
        &[],
    )
    .unwrap();
    let row = header(&["MMM", "3M", "Industrials", "1957-03-04", "66740"]);
    let read = read(&mapping, &row);
    assert_eq!(read.source_key.as_deref(), Some("MMM"));
    assert_eq!(mapping.ignored(), ["Date added"]);
    let profile = read.profile;
    assert_eq!(profile.name, "3M");
    assert_eq!(profile.sector.as_deref(), Some("Industrials"));
    assert_eq!(profile.company_number.as_deref(), Some("66740"));
    assert_eq!(profile.address, None);
}

#[test]
fn what_is_mapped_goes_before_what_is_known() {
    let given: Mapped = "name=Firm".parse().unwrap();
    let mapping = of(&header(&["Name", "Firm"]), &[given]).unwrap();
    assert_eq!(
        read(&mapping, &header(&["Ann", "Acme"])).profile.name,
        "Acme"
    );
}

#[test]
fn several_values_stand_in_one_column() {
    let mapping = of(&header(&["Name", "Trading names"]), &[]).unwrap();
    let profile = read(&mapping, &header(&["Acme", "A1; A2;"])).profile;
    assert_eq!(profile.trading_names, ["A1", "A2"]);
}

#[test]
fn fields_that_administrators_defined_have_columns_of_their_own() {
    let own = |name: &str, is_required| Defined {
        id: ProfileFieldId(uuid::Uuid::from_u128(name.len() as u128)),
        name: name.to_owned(),
        is_required,
    };
    let defined = [own("Visa sponsor", false), own("Sector", true)];
    let read = |columns: &[&str], given: &[&str], row: &[&str]| {
        let given: Vec<Mapped> = given.iter().map(|text| text.parse().unwrap()).collect();
        Mapping::<OrganisationField>::of(&header(columns), &given, &defined).map(|mapping| {
            let said = mapping.given(&header(row)).into_iter();
            let said: Vec<_> = said.filter_map(|one| one.value).collect();
            (read(&mapping, &header(row)).profile.sector, said)
        })
    };
    // What every record has goes before what is defined, unless a column says that it is the field.
    let columns = ["Name", "Sector", "visa sponsor", "Field: sector"];
    let row = ["Acme", "Toys", "Yes", "'-1"];
    let sector = || Some("Toys".to_owned());
    let said = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(
        read(&columns, &[], &row),
        Ok((sector(), said(&["-1", "Yes"])))
    );
    let given = ["field: Sector=visa sponsor"];
    assert_eq!(read(&columns, &given, &row), Ok((sector(), said(&["Yes"]))));
    let given = ["Visa sponsor=Name", "name=Field: sector"];
    let error = read(&columns, &given, &row).unwrap_err().to_string();
    assert!(error.contains("hold the field: Sector"), "{error}");
    let error = read(&columns, &["colour=Name"], &row)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("source_key, field: Visa sponsor, field: Sector"),
        "{error}"
    );
}

#[test]
fn fields_whose_names_differ_by_a_space_have_columns_of_their_own() {
    let names = ["Year 1", "Year1", "Sector", "Field sector", "Visa sponsor"];
    let defined: Vec<Defined> = (1..)
        .zip(names)
        .map(|(id, name)| Defined {
            id: ProfileFieldId(uuid::Uuid::from_u128(id)),
            name: name.to_owned(),
            is_required: false,
        })
        .collect();
    // The column that each field is read from.
    let read = |columns: &[&str], given: &[&str]| {
        let given: Vec<Mapped> = given.iter().map(|text| text.parse().unwrap()).collect();
        let header = header(columns);
        let mapping = Mapping::<OrganisationField>::of(&header, &given, &defined);
        mapping.map_err(|error| error.to_string()).map(|mapping| {
            let said = mapping.given(&header);
            let value = |own: &Defined| {
                let one = said.iter().find(|one| one.profile_field_id == own.id)?;
                one.value.clone()
            };
            defined
                .iter()
                .map(|own| value(own).unwrap_or_default())
                .collect::<Vec<_>>()
        })
    };
    let all = [
        "Name",
        "Year1",
        "YEAR 1",
        "Field: sector",
        "field sector",
        "visa_sponsor",
    ];
    assert_eq!(
        read(&all, &[]).unwrap(),
        [
            "YEAR 1",
            "Year1",
            "Field: sector",
            "field sector",
            "visa_sponsor"
        ]
    );
    // What is exactly one field's is no other's, though the one has a better column.
    let two = ["Name", "Field sector", "field: Field sector"];
    let expected = ["", "", "", "field: Field sector", ""];
    assert_eq!(read(&two, &[]).unwrap(), expected);

    for (column, fields) in [
        ("Year-1", "\"field: Year 1\", \"field: Year1\""),
        ("field_sector", "\"field: Sector\", \"field: Field sector\""),
    ] {
        let told = format!("the column {column:?} may be any of {fields}; name it exactly");
        let error = read(&["Name", column], &[]).unwrap_err();
        assert!(error.starts_with(&told), "{error}");
    }
    let mapped = read(&["Name", "Year-1"], &["field: Year1=Year-1"]);
    assert_eq!(mapped.unwrap(), ["", "Year-1", "", "", ""]);
    let error = read(&["Name", "Year-1"], &["year-1=Year-1"]).unwrap_err();
    assert!(error.starts_with("\"year-1\" may be any of"), "{error}");
}

#[test]
fn wrong_mappings_are_refused_with_what_there_is() {
    let columns = header(&["Firm", "City", "City"]);
    for (given, message) in [
        (&[][..], "say which with --map name=COLUMN"),
        (
            &["name=Frim"],
            "no column \"Frim\"; its columns are \"Firm\", \"City\"",
        ),
        (&["name=City"], "two columns \"City\""),
        (&["name=Firm", "name=City"], "name is mapped twice"),
        (
            &["colour=Firm"],
            "no field \"colour\"; the fields are name, trading_names",
        ),
    ] {
        let given: Vec<Mapped> = given.iter().map(|text| text.parse().unwrap()).collect();
        let error = of(&columns, &given).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert_eq!(of(&header(&[]), &[]), Err(MappingError::NoHeader));
    assert!("name".parse::<Mapped>().is_err());
}
