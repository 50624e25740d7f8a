//! What people sign in with, links that work once, and who somebody is at the university's provider.

#![expect(clippy::too_many_lines, reason = "a table reads best in one piece")]

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, binary_null, boolean_null, text, text_null, uuid},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, part_of, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "credential",
    "one_time_token",
    "identity",
    "university_sign_in",
];

/// One password an account had moves to a row of its own. The row takes the id of the account: no other credential is
/// there yet.
const CARRY_OVER: &str = "
    INSERT INTO credential (id, user_id, kind, password_hash, created_at)
    SELECT id, id, 'PASSWORD', password_hash, created_at FROM user_account WHERE password_hash IS NOT NULL";

const CARRY_BACK: &str = "
    UPDATE user_account SET password_hash = (
        SELECT c.password_hash FROM credential c WHERE c.user_id = user_account.id AND c.kind = 'PASSWORD')";

const SESSION_COLUMNS: [&str; 3] = ["last_used_at", "device", "network"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("credential")
                    .col(id())
                    .col(uuid("user_id"))
                    .col(text("kind"))
                    .col(text_null("password_hash"))
                    .col(binary_null("external_id"))
                    .col(binary_null("public_key"))
                    .col(big_integer_null("sign_counter"))
                    .col(text_null("transports"))
                    .col(boolean_null("is_backed_up"))
                    .col(text_null("label"))
                    .col(moment("created_at"))
                    .col(moment_null("last_used_at"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .check(one_of("kind", &["PASSWORD", "PASSKEY"]))
                    // Each kind has what it is checked with, and nothing of the other.
                    .check(
                        Expr::col("kind")
                            .eq("PASSWORD")
                            .eq(Expr::col("password_hash").is_not_null()),
                    )
                    .check(
                        Expr::col("kind")
                            .eq("PASSKEY")
                            .eq(Expr::col("public_key").is_not_null()),
                    )
                    .check(
                        Expr::col("kind")
                            .eq("PASSKEY")
                            .eq(Expr::col("external_id").is_not_null()),
                    )
                    .check(
                        Expr::col("kind")
                            .eq("PASSKEY")
                            .eq(Expr::col("sign_counter").is_not_null()),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("one_time_token")
                    .col(text("token_hash").primary_key())
                    .col(text("purpose"))
                    .col(uuid("user_id"))
                    .col(text_null("email"))
                    .col(text_null("challenge"))
                    .col(moment("created_at"))
                    .col(moment("expires_at"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .check(one_of(
                        "purpose",
                        &[
                            "VERIFY_EMAIL",
                            "CHANGE_EMAIL",
                            "RESET_PASSWORD",
                            "INVITATION",
                            "SIGN_IN",
                        ],
                    ))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("identity")
                    .col(text("issuer"))
                    .col(text("subject"))
                    .col(uuid("user_id"))
                    .col(moment("created_at"))
                    .col(moment("last_used_at"))
                    .primary_key(Index::create().col("issuer").col("subject"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("university_sign_in")
                    .col(text("state_hash").primary_key())
                    .col(moment("expires_at"))
                    .take(),
            )
            .await?;
        for index in [
            unique("credential_one_password", "credential", &["user_id"])
                .and_where(one_of("kind", &["PASSWORD"]))
                .take(),
            unique("credential_external_id", "credential", &["external_id"]),
            index("credential_user", "credential", &["user_id"]),
            index(
                "one_time_token_user",
                "one_time_token",
                &["user_id", "purpose"],
            ),
            index("one_time_token_expiry", "one_time_token", &["expires_at"]),
            unique("identity_one_a_person", "identity", &["user_id", "issuer"]),
        ] {
            manager.create_index(index).await?;
        }
        let connection = manager.get_connection();
        connection.execute_unprepared(CARRY_OVER).await?;
        manager
            .alter_table(
                Table::alter()
                    .table("user_account")
                    .drop_column("password_hash")
                    .take(),
            )
            .await?;
        // One at a time: SQLite can't do more.
        for column in [
            moment_null(SESSION_COLUMNS[0]),
            text_null(SESSION_COLUMNS[1]),
            text_null(SESSION_COLUMNS[2]),
        ] {
            manager
                .alter_table(Table::alter().table("session").add_column(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in SESSION_COLUMNS.iter().rev() {
            manager
                .alter_table(Table::alter().table("session").drop_column(*column).take())
                .await?;
        }
        manager
            .alter_table(
                Table::alter()
                    .table("user_account")
                    .add_column(text_null("password_hash"))
                    .take(),
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(CARRY_BACK)
            .await?;
        drop_tables(manager, TABLES).await
    }
}
