CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE tasks (
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    function TEXT NOT NULL,
    pool TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER DEFAULT 0 NOT NULL,
    claimed INTEGER DEFAULT 0 NOT NULL,
    priority INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    run_at BIGINT,
    started_at BIGINT,
    finished_at BIGINT,
    queued_seconds DOUBLE,
    run_seconds DOUBLE,
    cpu_seconds DOUBLE,
    worker TEXT,
    pid INTEGER,
    thread INTEGER,
    progress_fraction DOUBLE,
    progress_message TEXT,
    error_kind TEXT,
    tags TEXT,
    idempotency_key TEXT,
    fingerprint TEXT,
    measurement TEXT,
    shown_args TEXT,
    shown_kwargs TEXT,
    args TEXT NOT NULL,
    kwargs TEXT NOT NULL,
    result TEXT,
    error TEXT, options TEXT, reruns INTEGER DEFAULT 0 NOT NULL, error_group TEXT, recorded_at BIGINT, placed TEXT,
    PRIMARY KEY (seq),
    CONSTRAINT tasks_state CHECK (state IN ('scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'lost')),
    CONSTRAINT tasks_id UNIQUE (id)
);
CREATE INDEX tasks_by_pool ON tasks (pool, state);
CREATE INDEX tasks_by_function ON tasks (function, pool, state);
CREATE INDEX tasks_queue ON tasks (pool, priority DESC, seq) WHERE state = 'queued' AND claimed = 0;
CREATE INDEX tasks_due ON tasks (run_at) WHERE state = 'scheduled';
CREATE UNIQUE INDEX tasks_idempotency ON tasks (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX tasks_errors ON tasks (error_kind) WHERE error_kind IS NOT NULL;
CREATE TABLE task_tags (
    tag TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (tag, seq),
    FOREIGN KEY(seq) REFERENCES tasks (seq) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX task_tags_by_task ON task_tags (seq);
CREATE TABLE logs (
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (seq, attempt, n),
    FOREIGN KEY(seq) REFERENCES tasks (seq) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE counters (
    pool TEXT NOT NULL,
    function TEXT NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (pool, function, state)
)
 WITHOUT ROWID

;
CREATE TABLE activity (
    minute INTEGER NOT NULL,
    pool TEXT NOT NULL,
    function TEXT NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL,
    wait_seconds DOUBLE NOT NULL,
    run_seconds DOUBLE NOT NULL,
    PRIMARY KEY (minute, pool, function, state)
)
 WITHOUT ROWID

;
CREATE TABLE functions (
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE workers (
    pool TEXT NOT NULL,
    last_number INTEGER NOT NULL,
    PRIMARY KEY (pool)
);
CREATE TABLE attempts (
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    queued_seconds DOUBLE,
    run_seconds DOUBLE,
    cpu_seconds DOUBLE,
    worker TEXT,
    pid INTEGER,
    thread INTEGER,
    error_kind TEXT,
    measurement TEXT,
    result TEXT,
    error TEXT, error_group TEXT, recorded_at BIGINT,
    PRIMARY KEY (seq, attempt),
    FOREIGN KEY(seq) REFERENCES tasks (seq) ON DELETE CASCADE
);
CREATE TABLE incidents (
    n INTEGER NOT NULL,
    id TEXT NOT NULL,
    pool TEXT NOT NULL,
    incident TEXT NOT NULL,
    PRIMARY KEY (n),
    CONSTRAINT incidents_id UNIQUE (id)
);
CREATE INDEX incidents_by_pool ON incidents (pool);
CREATE TABLE holds (
    function TEXT NOT NULL,
    since BIGINT NOT NULL,
    deaths INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (function)
);
CREATE TABLE controls (
    name TEXT NOT NULL,
    size INTEGER,
    configured INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE runs (
    n INTEGER NOT NULL,
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    report TEXT,
    PRIMARY KEY (n),
    CONSTRAINT runs_boot UNIQUE (boot)
);
CREATE INDEX tasks_finished ON tasks (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_slow ON tasks (run_seconds) WHERE run_seconds >= 0.01;
CREATE INDEX tasks_error_groups ON tasks (error_group) WHERE error_group IS NOT NULL;
CREATE INDEX attempts_finished ON attempts (finished_at) WHERE finished_at IS NOT NULL;
CREATE TABLE samples (
    seconds INTEGER NOT NULL,
    at INTEGER NOT NULL,
    pool TEXT NOT NULL,
    slots DOUBLE NOT NULL,
    busy DOUBLE NOT NULL,
    queued DOUBLE NOT NULL,
    oldest_wait DOUBLE NOT NULL,
    cpu_percent DOUBLE NOT NULL,
    rss_bytes DOUBLE NOT NULL,
    voluntary DOUBLE NOT NULL,
    involuntary DOUBLE NOT NULL,
    PRIMARY KEY (seconds, at, pool)
)
 WITHOUT ROWID

;
CREATE TABLE flows (
    seconds INTEGER NOT NULL,
    at INTEGER NOT NULL,
    pool TEXT NOT NULL,
    function TEXT NOT NULL,
    submitted INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    wait TEXT NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (seconds, at, pool, function)
)
 WITHOUT ROWID

;
CREATE TABLE annotations (
    n INTEGER NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    pool TEXT,
    subject TEXT,
    data TEXT,
    reason TEXT,
    PRIMARY KEY (n)
);
CREATE INDEX annotations_by_time ON annotations (at);
CREATE TABLE error_groups (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    type TEXT NOT NULL,
    place TEXT NOT NULL,
    message TEXT NOT NULL,
    n INTEGER NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    last_task TEXT NOT NULL,
    state TEXT NOT NULL,
    changed_at BIGINT,
    PRIMARY KEY (id)
);
CREATE INDEX error_groups_by_time ON error_groups (last_seen);
CREATE TABLE error_counts (
    id TEXT NOT NULL,
    hour INTEGER NOT NULL,
    function TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (id, hour, function),
    FOREIGN KEY(id) REFERENCES error_groups (id)
)
 WITHOUT ROWID

;
CREATE VIRTUAL TABLE argument_text USING fts5 (text, content='', tokenize='trigram');
CREATE TABLE search_progress (
    through BIGINT NOT NULL
);
CREATE TABLE profiles (
    function TEXT NOT NULL,
    kind TEXT NOT NULL,
    profile TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (function, kind)
)
 WITHOUT ROWID

;
CREATE TABLE placements (
    function TEXT NOT NULL,
    pool TEXT NOT NULL,
    since BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (function)
);
CREATE TABLE experiments (
    n INTEGER NOT NULL,
    id TEXT NOT NULL,
    function TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    experiment TEXT NOT NULL,
    PRIMARY KEY (n),
    CONSTRAINT experiments_id UNIQUE (id)
);
CREATE INDEX experiments_by_function ON experiments (function);
CREATE TABLE pipelines (
    n INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    created_at BIGINT NOT NULL,
    steps TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint TEXT,
    PRIMARY KEY (n),
    CONSTRAINT pipelines_id UNIQUE (id),
    CONSTRAINT pipelines_idempotency UNIQUE (idempotency_key)
);
CREATE TABLE links (
    seq INTEGER NOT NULL,
    pipeline TEXT,
    step TEXT,
    item INTEGER,
    items INTEGER,
    "each" TEXT,
    lists TEXT,
    delay DOUBLE,
    run_at BIGINT,
    released_at BIGINT,
    stopped_by TEXT,
    given_args TEXT,
    given_kwargs TEXT,
    PRIMARY KEY (seq),
    FOREIGN KEY(seq) REFERENCES tasks (seq) ON DELETE CASCADE
);
CREATE INDEX links_by_pipeline ON links (pipeline, step) WHERE pipeline IS NOT NULL;
CREATE TABLE edges (
    needs BIGINT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    rule TEXT NOT NULL,
    PRIMARY KEY (needs, seq),
    FOREIGN KEY(seq) REFERENCES tasks (seq) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX edges_by_task ON edges (seq);
