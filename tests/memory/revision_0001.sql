-- A memory as release 1 wrote it, with version 2 in it. Frozen: never to be brought forward.
PRAGMA page_size = 16384;
PRAGMA application_id = 0x496E6B6C;
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE alias (
	class_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_alias PRIMARY KEY (class_id, position), 
	CONSTRAINT fk_alias_class_id FOREIGN KEY(class_id) REFERENCES class (id) ON DELETE CASCADE
);
INSERT INTO "alias" VALUES(1,0,'minibus');
CREATE TABLE class (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT uq_class_name UNIQUE (name)
);
INSERT INTO "class" VALUES(1,'van',0);
INSERT INTO "class" VALUES(2,'caf␛dce9',1);
CREATE TABLE exemplar (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	class_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	content_hash TEXT NOT NULL, 
	"view" INTEGER NOT NULL, 
	CONSTRAINT fk_exemplar_class_id FOREIGN KEY(class_id) REFERENCES class (id)
);
INSERT INTO "exemplar" VALUES(4,1,'vans/1.jpg','aa',0);
INSERT INTO "exemplar" VALUES(5,1,'vans/1.jpg','aa',1);
INSERT INTO "exemplar" VALUES(6,2,'caf␛dce9/1.jpg','bb',0);
CREATE TABLE head (
	space_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	params TEXT NOT NULL, 
	arrays BLOB NOT NULL, 
	calibration TEXT NOT NULL, 
	training TEXT NOT NULL, 
	CONSTRAINT pk_head PRIMARY KEY (space_id), 
	CONSTRAINT fk_head_space_id FOREIGN KEY(space_id) REFERENCES space (id) ON DELETE CASCADE
);
INSERT INTO "head" VALUES(1,'gda','{"alpha": 0.5}',X'40000000000000007B2277656967687473223A7B226474797065223A22463634222C227368617065223A5B322C325D2C22646174615F6F666673657473223A5B302C33325D7D7D20000000000000F03F000000000000004000000000000008400000000000001040','{"temperature": 1.25}','{"candidates": ["zero-shot", "gda"]}');
CREATE TABLE memory (
	id INTEGER NOT NULL CONSTRAINT ck_memory_one_row CHECK (id = 1), 
	version INTEGER NOT NULL, 
	space_id INTEGER NOT NULL, 
	CONSTRAINT pk_memory PRIMARY KEY (id), 
	CONSTRAINT fk_memory_space_id FOREIGN KEY(space_id) REFERENCES space (id)
);
INSERT INTO "memory" VALUES(1,2,1);
CREATE TABLE prompt (
	class_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_prompt PRIMARY KEY (class_id, position), 
	CONSTRAINT fk_prompt_class_id FOREIGN KEY(class_id) REFERENCES class (id) ON DELETE CASCADE
);
INSERT INTO "prompt" VALUES(1,0,'a van');
INSERT INTO "prompt" VALUES(1,1,'a photo of a van');
CREATE TABLE provenance (
	version INTEGER NOT NULL, 
	created TEXT NOT NULL, 
	inkling_version TEXT NOT NULL, 
	command TEXT NOT NULL, 
	seed BIGINT NOT NULL, 
	versions TEXT NOT NULL, 
	data_hash TEXT NOT NULL, 
	CONSTRAINT pk_provenance PRIMARY KEY (version)
);
INSERT INTO "provenance" VALUES(1,'2025-01-31T12:00:00Z','0.1.0','inkling fit vans',0,'{"numpy": "2.0"}','da7a');
INSERT INTO "provenance" VALUES(2,'2025-01-31T12:00:00Z','0.1.0','inkling fit vans',0,'{"numpy": "2.0"}','da7a');
CREATE TABLE space (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	fingerprint TEXT NOT NULL, 
	name TEXT NOT NULL, 
	source TEXT NOT NULL, 
	dimension INTEGER NOT NULL, 
	feature_dimension INTEGER NOT NULL, 
	logit_scale DOUBLE NOT NULL, 
	precision TEXT NOT NULL, 
	CONSTRAINT uq_space_fingerprint UNIQUE (fingerprint)
);
INSERT INTO "space" VALUES(1,'5eed','openai/clip','openai/clip',2,1,100.0,'float32');
CREATE TABLE text_vector (
	class_id INTEGER NOT NULL, 
	space_id INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_text_vector PRIMARY KEY (class_id, space_id), 
	CONSTRAINT fk_text_vector_class_id FOREIGN KEY(class_id) REFERENCES class (id) ON DELETE CASCADE, 
	CONSTRAINT fk_text_vector_space_id FOREIGN KEY(space_id) REFERENCES space (id) ON DELETE CASCADE
);
INSERT INTO "text_vector" VALUES(1,1,X'9A99193FCDCC4C3F');
CREATE TABLE thumbnail (
	exemplar_id INTEGER NOT NULL, 
	jpeg BLOB NOT NULL, 
	CONSTRAINT pk_thumbnail PRIMARY KEY (exemplar_id), 
	CONSTRAINT fk_thumbnail_exemplar_id FOREIGN KEY(exemplar_id) REFERENCES exemplar (id) ON DELETE CASCADE
);
INSERT INTO "thumbnail" VALUES(4,X'FFD86A706567');
CREATE TABLE vector (
	exemplar_id INTEGER NOT NULL, 
	space_id INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_vector PRIMARY KEY (exemplar_id, space_id), 
	CONSTRAINT fk_vector_exemplar_id FOREIGN KEY(exemplar_id) REFERENCES exemplar (id) ON DELETE CASCADE, 
	CONSTRAINT fk_vector_space_id FOREIGN KEY(space_id) REFERENCES space (id) ON DELETE CASCADE
);
INSERT INTO "vector" VALUES(4,1,X'0000803F0000000000004040');
INSERT INTO "vector" VALUES(5,1,X'000000000000803F000000BF');
INSERT INTO "vector" VALUES(6,1,X'9A99193FCDCC4C3F00000040');
CREATE INDEX ix_exemplar_class_id ON exemplar (class_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('space',1);
INSERT INTO "sqlite_sequence" VALUES('class',2);
INSERT INTO "sqlite_sequence" VALUES('exemplar',6);
COMMIT;
