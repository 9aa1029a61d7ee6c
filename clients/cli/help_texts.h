#ifndef CLIENTS_CLI_HELP_TEXTS_H_
#define CLIENTS_CLI_HELP_TEXTS_H_

namespace intercom_extractor {

// What --help says before and after the flags, which explain themselves.

inline constexpr char kDescription[] =
    "Reads an Intercom workspace into CSV or JSON Lines files, a database or a queue, as fast as\n"
    "its request quota allows.";

inline constexpr char kFooter[] =
    "Example:\n"
    "  INTERCOM_ACCESS_TOKEN=... intercom-extract extract --template all --output out\n"
    "\n"
    "Exit codes: 0 complete, 2 usage or configuration, 3 authentication, 4 some table or record\n"
    "is missing, 5 Intercom or the server unreachable, 6 local disk or output, 130 interrupted.";

inline constexpr char kExtractFooter[] =
    "Examples:\n"
    "  intercom-extract extract --template all --output out\n"
    "  intercom-extract extract --tables users,companies --output out --format jsonl --gzip\n"
    "  intercom-extract extract --tables tags --output - | head\n"
    "  intercom-extract extract --template basic --output out --server extractor.example:50051\n"
    "  intercom-extract extract --template all --output out --resume\n"
    "  intercom-extract extract --template all --output out --updated-since last\n"
    "  intercom-extract extract --template all --sink 'postgresql://etl@db/crm?schema=intercom'\n"
    "  intercom-extract extract --template all --sink 'kafka://k1:9092,k2:9092/?format=json'\n"
    "  intercom-extract extract --template all --sink 'redis://etl@r:6379/0?prefix=intercom:'\n"
    "  intercom-extract extract --template all --sink 'nats://etl@n:4222?stream=INTERCOM'\n"
    "\n"
    "Files are written in DIR/.partial and moved into place once they are whole. CSV: null is\n"
    "an empty field, the empty string is \"\". The order of rows is unspecified.\n"
    "\n"
    "From its first checkpoint on, a run keeps in the state file how far it is: at most a second\n"
    "behind, and never ahead of the rows on the disk. After an interruption --resume cuts the\n"
    "files back to the last checkpoint and goes on there. A lost connection to a server elsewhere\n"
    "is made again by itself, up to 5 tries in a row.\n"
    "\n"
    "An incremental run writes TABLE.delta.csv and leaves full files as they are. Load its rows\n"
    "over those with the same key; drop the older children of each row first, as all that it has\n"
    "come again. Companies, admins, tags and segments are read whole. last is since the earliest\n"
    "run that read one of the tables to its end, which the state file keeps. Move or delete the\n"
    ".delta files once they are loaded: while they are there, last covers what they hold, too.\n"
    "\n"
    "With --find-deleted it also writes TABLE.deleted.csv: keys of users, leads, conversations,\n"
    "companies, admins, tags and segments that are gone, even if there are none. Drop them and\n"
    "their children after the rows are loaded. Runs keep the keys of what they delivered in\n"
    "DIR/.intercom-extract.ids to find them.\n"
    "\n"
    "With --sink, rows and how far they are go into database, Kafka or Redis together, in one\n"
    "transaction: whatever dies, each row is there exactly once, and the same command goes on\n"
    "from there; NATS drops what comes twice within its window. A full run drops at its end what\n"
    "no longer exists, an incremental one also children that a record has lost; in queues the\n"
    "stream _events says so. A sink that is down is waited for, up to 10 minutes. docs/sinks.md\n"
    "lists what may stand in the URL.";

inline constexpr char kStateFooter[] =
    "Examples:\n"
    "  intercom-extract state show --output out\n"
    "  intercom-extract state export --state out/.intercom-extract.state > token\n"
    "  intercom-extract state reset --output out";

inline constexpr char kShowFooter[] =
    "Example:\n"
    "  intercom-extract state show --output out --json\n"
    "\n"
    "Rows and bytes are as of the last checkpoint. Works while a run is going on. Says also how\n"
    "far runs have read each table and what --updated-since last would mean.";

inline constexpr char kExportFooter[] =
    "Example:\n"
    "  intercom-extract state export --output out > token\n"
    "\n"
    "In base64: what a client of the service gives as ExtractRequest.resume_token to go on where\n"
    "this run is.";

inline constexpr char kResetFooter[] =
    "Example:\n"
    "  intercom-extract state reset --output out\n"
    "  intercom-extract state reset --output out --tables users,users_tags\n"
    "\n"
    "Asks nothing; finished files stay. Refused while a run is going on. Without --tables also\n"
    "forgets how far runs have read each table: then --updated-since last needs a full run\n"
    "first. With --tables it forgets that of these tables, and nothing else; not while there is\n"
    "an unfinished run, whose one token is for all tables.";

inline constexpr char kPlanFooter[] =
    "Examples:\n"
    "  intercom-extract plan --template all\n"
    "  intercom-extract plan --template all --updated-since 2024-05-01 --find-deleted\n"
    "\n"
    "Asks Intercom for its counts and reads up to four pages of contacts, whose lists\n"
    "stand for those of all. Exit codes: 0 planned, 2 usage or configuration,\n"
    "3 authentication, 5 unreachable, 6 output, 130 interrupted.\n";

inline constexpr char kCheckFooter[] =
    "Examples:\n"
    "  intercom-extract check\n"
    "  intercom-extract check --server extractor.example:50051 --connection acme --json\n"
    "\n"
    "Exit code 4 when some table cannot be read; the lines say what to do.";

inline constexpr char kLoginFooter[] =
    "Example:\n"
    "  INTERCOM_CLIENT_ID=... INTERCOM_CLIENT_SECRET=... intercom-extract login --region eu\n"
    "\n"
    "For an app of Intercom's Developer Hub that uses OAuth; name the redirect URL there. Writes\n"
    "the token into a file that only you can read, and says what it may read, as check does.\n"
    "Not needed for a workspace of one's own: its app has an access token, too, under\n"
    "Authentication. Exit codes: 0 stored, 2 usage, 3 refused or nobody came, 4 stored, but some\n"
    "table cannot be read, 5 unreachable, 6 local disk or output, 130 interrupted.";

inline constexpr char kTablesFooter[] =
    "Examples:\n"
    "  intercom-extract tables\n"
    "  intercom-extract tables --template conversations --json\n"
    "  intercom-extract tables --server extractor.example:50051 --connection acme\n"
    "\n"
    "Needs no access token. With --server and --connection, or with --config, it also shows which\n"
    "columns are left out, masked or hashed for the connection (docs/privacy.md).";

inline constexpr char kTopFooter[] =
    "Examples:\n"
    "  intercom-extract top --server 127.0.0.1:50051\n"
    "  intercom-extract top --server extractor.example:50051 --connection acme --json\n"
    "\n"
    "On a terminal drawn anew every second until Ctrl-C, which ends it with 0; else, and with\n"
    "--json, written once. Without --connection it shows the extractions of all.";

inline constexpr char kFleetFooter[] =
    "Examples:\n"
    "  intercom-extract fleet submit --sink kafka://k1:9092 --workspaces acme --template all\n"
    "  intercom-extract fleet work --sink kafka://k1:9092 --config workspaces.yaml --worker w1\n"
    "  intercom-extract fleet status --sink kafka://k1:9092\n"
    "\n"
    "A workspace is with one worker at a time. A worker that dies is replaced by the others, who\n"
    "go on where it had committed; rows are in Kafka exactly once. docs/fleet.md says more.";

inline constexpr char kSubmitFooter[] =
    "Examples:\n"
    "  intercom-extract fleet submit --sink kafka://k1:9092 --workspaces acme --template all\n"
    "  intercom-extract fleet submit --sink kafka://k1:9092 --workspaces-file names.txt \\\n"
    "      --template all --job nightly --every 24h --incremental\n"
    "\n"
    "Replaces the job of that name in each workspace; one that runs ends and begins anew.";

inline constexpr char kRemoveFooter[] =
    "Example:\n"
    "  intercom-extract fleet remove --sink kafka://k1:9092 --workspaces acme --job nightly\n"
    "\n"
    "Rows stay in their topics.";

inline constexpr char kStatusFooter[] =
    "Example:\n"
    "  intercom-extract fleet status --sink kafka://k1:9092 --json\n"
    "\n"
    "As of the last commits. Exit code 4 when a job has failed or its rows are not all there.";

inline constexpr char kWorkFooter[] =
    "Example:\n"
    "  intercom-extract fleet work --sink kafka://k1:9092 --config workspaces.yaml --worker w1\n"
    "\n"
    "SIGTERM commits what is whole, gives the workspaces back and ends with 0.";

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_HELP_TEXTS_H_
