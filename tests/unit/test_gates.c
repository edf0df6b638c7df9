/*
 * Gates that are programs: what they are asked, what they may answer, and how
 * they end. The programs are scripts in a directory of their own.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>

#include "gates.h"
#include "sample.h"
#include "stamp.h"
#include "suite.h"
#include "temp_dir.h"

static struct temp_dir dir;
static struct batfs_gates *gates;
static struct bat_draft draft;
static struct bat_proposal proposal;
static struct bat_denial denial;
static struct bat_error error;

static void
setup(void)
{
	temp_dir_make(&dir);
	ck_assert_int_eq(chmod(dir.path, 0755), 0);
	draft = (struct bat_draft){
		.entity = bat_bytes_text("player:a"),
		.scope = bat_bytes_text("room:\"b\""),
		.payload = bat_bytes_text("\x81\xa1"
					  "x\x0a"),
		.kind = 0xf001,
	};
	proposal = (struct bat_proposal){ .draft = &draft };
	denial = BAT_DENIAL_EMPTY;
	error = (struct bat_error){ .text = "" };
}

static void
teardown(void)
{
	batfs_gates_stop(gates);
	gates = NULL;
	bat_gate_denial_free(&denial);
	temp_dir_remove(&dir);
}

/* An executable of sh; in it $D is the directory. */
static void
add_gate(const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir.path, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\nD=%s\necho $$ >$D/.%s\n%s\n", dir.path, name,
	    text);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

#define READ "IFS= read -r line || exit\n"
#define PERMIT "echo '{\"permit\":true}'\n"
#define ALWAYS(answer) "while IFS= read -r line; do\n" answer "\ndone"

static int
start(unsigned limit_s)
{
	const struct batfs_gates_options options = {
		.dir = dir.path,
		.limit_s = limit_s,
		.quiet = true,
	};

	return batfs_gates_start(&options, &gates, &error);
}

/* Machines are slow at times: a limit that is not the point is long. */
static void
start_well(void)
{
	ck_assert_msg(start(60) == 0, "%s", error.text);
}

static int
ask(size_t i)
{
	const struct bat_gates list = batfs_gates_list(gates);

	ck_assert_uint_lt(i, list.count);
	return list.gates[i].ask(list.gates[i].context, &proposal, &denial,
	    &error);
}

/* What a gate has written into a file of the directory. */
static void
content_of(const char *name, char *out, size_t size)
{
	char path[512];
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "%s/%s", dir.path, name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	got = fread(out, 1, size - 1, file);
	out[got] = '\0';
	fclose(file);
}

static void
take_a_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static pid_t
pid_of(const char *name)
{
	char file[64], text[32] = "";

	snprintf(file, sizeof(file), ".%s", name);
	while (!temp_dir_has(&dir, file))
		take_a_nap();
	while (strchr(text, '\n') == NULL)
		content_of(file, text, sizeof(text));
	return (pid_t)atoi(text);
}

/* It ends by itself, or the test's time is up. Nobody has it as a zombie. */
static void
await_end(pid_t pid)
{
	while (kill(pid, 0) == 0)
		take_a_nap();
	ck_assert_int_eq(errno, ESRCH);
}

/* ---- questions and answers ------------------------------------------------- */

START_TEST(a_question_is_a_line_of_json)
{
	static const uint8_t binary[] = { 0xff };
	const struct bat_extension extensions[] = { { bat_bytes_text("a.b"),
							bat_bytes_text("c\"") },
		{ bat_bytes_text("x.y"), { binary, 1 } } };
	const struct batfs_stamp_writer writer = { 1, 2, 3 };
	char got[1024];

	add_gate("g",
	    READ "printf '%s\\n' \"$line\" >$D/.line\n" PERMIT READ
		 "printf '%s\\n' \"$line\" >$D/.line\n" PERMIT);
	start_well();
	ck_assert_int_eq(ask(0), 0);
	content_of(".line", got, sizeof(got));
	ck_assert_str_eq(got,
	    "{\"entity\":\"player:a\",\"scope\":\"room:\\\"b\\\"\","
	    "\"kind\":\"f.001\",\"data\":{\"x\":10},\"cause\":null,"
	    "\"corr\":null}\n");
	draft.payload = bat_bytes_text("\xc1");
	draft.key.bytes[0] = 0xab;
	draft.lane = 4;
	draft.depth = 5;
	draft.flags = 6;
	draft.extensions = extensions;
	draft.extension_count = 2;
	proposal.cause.bytes[15] = 1;
	proposal.corr.bytes[15] = 2;
	proposal.about = &writer;
	proposal.rehearsed = true;
	ck_assert_int_eq(ask(0), 0);
	content_of(".line", got, sizeof(got));
	ck_assert_str_eq(got,
	    "{\"entity\":\"player:a\",\"scope\":\"room:\\\"b\\\"\","
	    "\"kind\":\"f.001\",\"data_b64\":\"wQ==\","
	    "\"cause\":\"00000000000000000000000000000001\","
	    "\"corr\":\"00000000000000000000000000000002\","
	    "\"key\":\"ab000000000000000000000000000000\","
	    "\"lane\":4,\"depth\":5,\"flags\":6,"
	    "\"ext\":{\"a.b\":\"c\\\"\",\"x.y\":{\"$bin\":\"/w==\"}},"
	    "\"uid\":1,\"gid\":2,\"pid\":3,\"try\":true}\n");
}
END_TEST

START_TEST(an_answer_permits_or_says_why_not)
{
	add_gate("g",
	    READ PERMIT READ
	    "echo ' {\"deny\": {\"message\":\"n\\u00f6\"}} '\n" READ
	    "echo '{\"deny\":{\"code\":\"C\",\"message\":\"m\","
	    "\"context\":{\"a\":\"1\",\"b\":\"\"}}}'\n" READ PERMIT);
	start_well();
	ck_assert_int_eq(ask(0), 0);
	ck_assert_int_eq(ask(0), BAT_STATE_DENIED);
	ck_assert_uint_eq(denial.code.length, 0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&denial.message),
	    bat_bytes_text("n\xc3\xb6")));
	ck_assert_uint_eq(denial.context_count, 0);
	bat_gate_denial_free(&denial);
	ck_assert_int_eq(ask(0), BAT_STATE_DENIED);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&denial.code),
	    bat_bytes_text("C")));
	ck_assert_uint_eq(denial.context_count, 2);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&denial.context),
	    bat_bytes_text("\x92\xa1"
			   "a\xa1"
			   "1\x92\xa1"
			   "b\xa0")));
	ck_assert_int_eq(ask(0), 0);
}
END_TEST

START_TEST(programs_are_asked_in_the_order_of_their_names)
{
	struct bat_gates list;
	char path[512];

	add_gate("20-b", ALWAYS(PERMIT));
	add_gate("10-a", ALWAYS("echo '{\"deny\":{\"message\":\"no\"}}'"));
	add_gate("9", ALWAYS(PERMIT));
	add_gate(".hidden", "exit");
	add_gate("README", "exit");
	snprintf(path, sizeof(path), "%s/README", dir.path);
	ck_assert_int_eq(chmod(path, 0644), 0);
	snprintf(path, sizeof(path), "%s/folder", dir.path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	start_well();
	list = batfs_gates_list(gates);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.gates[0].id, "10-a");
	ck_assert_str_eq(list.gates[1].id, "20-b");
	ck_assert_str_eq(list.gates[2].id, "9");
	ck_assert_int_eq(ask(0), BAT_STATE_DENIED);
	ck_assert_int_eq(ask(1), 0);
	ck_assert_uint_eq(batfs_gates_list(NULL).count, 0);
}
END_TEST

/* Longer than any pipe. */
static void
put_long_text(struct bat_buf *buf)
{
	struct bat_buf text = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_reserve(&text, 3 << 20), 0);
	memset(text.data, 'y', 3 << 20);
	text.length = 3 << 20;
	ck_assert_int_eq(bat_pack_write_str(buf, bat_bytes_of_buf(&text)), 0);
	bat_bytes_free(&text);
}

START_TEST(a_long_question_and_a_flood_on_stderr_are_no_defect)
{
	struct bat_buf payload = BAT_BUF_EMPTY;

	put_long_text(&payload);
	draft.payload = bat_bytes_of_buf(&payload);
	add_gate("g",
	    "head -n 1 | wc -c >$D/.size\n"
	    "head -c 1000000 /dev/zero >&2\n" PERMIT READ PERMIT);
	start_well();
	ck_assert_int_eq(ask(0), 0);
	bat_bytes_free(&payload);
	draft.payload = bat_bytes_text("\x01");
	ck_assert_int_eq(ask(0), 0);
}
END_TEST

static void *
ask_often(void *argument)
{
	struct bat_gates list = batfs_gates_list(gates);
	struct bat_draft mine = draft;
	struct bat_proposal about = { .draft = &mine };
	struct bat_denial why = BAT_DENIAL_EMPTY;
	bool deny = argument != NULL;

	mine.entity = bat_bytes_text(deny ? "no" : "yes");
	for (int i = 0; i < 50; i++) {
		struct bat_error text;

		ck_assert_int_eq(list.gates[0].ask(list.gates[0].context,
				     &about, &why, &text),
		    deny ? BAT_STATE_DENIED : 0);
	}
	bat_gate_denial_free(&why);
	return NULL;
}

START_TEST(each_thread_gets_its_own_answer)
{
	pthread_t threads[4];

	add_gate("g",
	    ALWAYS("case $line in *'\"no\"'*) echo "
		   "'{\"deny\":{\"message\":\"\"}}' ;; *) " PERMIT ";; esac"));
	start_well();
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_often,
				     i % 2 == 0 ? NULL : &threads),
		    0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* ---- defects --------------------------------------------------------------- */

static const struct {
	const char *script, *why;
	unsigned limit_s;
} defects[] = {
	{ "exit", "", 60 }, /* at which moment, that depends */
	{ READ "exit", "it has ended", 60 },
	{ READ "echo yes; sleep 1000", "not one value of JSON", 60 },
	{ READ "echo '{\"permit\":true} 1'; sleep 1000", "more behind", 60 },
	{ READ "echo; sleep 1000", "not one value of JSON", 60 },
	{ READ "echo '{}'; sleep 1000", "neither", 60 },
	{ READ "echo true; sleep 1000", "neither", 60 },
	{ READ "echo '{\"permit\":false}'; sleep 1000", "neither", 60 },
	{ READ "echo '{\"permit\":1}'; sleep 1000", "neither", 60 },
	{ READ "echo '{\"permit\":true,\"deny\":{\"message\":\"\"}}'\n"
	       "sleep 1000",
	    "neither", 60 },
	{ READ "echo '{\"deny\":{}}'; sleep 1000", "neither", 60 },
	{ READ "echo '{\"deny\":{\"message\":1}}'; sleep 1000", "neither", 60 },
	{ READ "echo '{\"deny\":{\"message\":\"\",\"x\":\"\"}}'; sleep 1000",
	    "neither", 60 },
	{ READ "echo '{\"deny\":{\"message\":\"\",\"context\":{\"a\":1}}}'\n"
	       "sleep 1000",
	    "neither", 60 },
	{ READ "printf '{\"permit\":true}\\n\\n'; sleep 1000",
	    "more than one line", 60 },
	{ READ "head -c 70000 /dev/zero | tr '\\0' ' '; sleep 1000", "too long",
	    60 },
	{ READ "printf '\"\\377\"\\n'; sleep 1000", "not one value", 60 },
	{ "sleep 1000", "in time", 1 },
	{ READ "printf '{\"permit\":'; sleep 1000", "in time", 1 },
};

START_TEST(a_gate_that_does_not_answer_is_defective_for_good)
{
	pid_t pid;

	add_gate("g", defects[_i].script);
	ck_assert_int_eq(start(defects[_i].limit_s), 0);
	pid = pid_of("g");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ask(0), BAT_USE_INVALID);
		ck_assert_msg(strstr(error.text, defects[_i].why) != NULL, "%s",
		    error.text);
		ck_assert_ptr_nonnull(strstr(error.text, "the next mount"));
	}
	await_end(pid);
}
END_TEST

START_TEST(who_speaks_without_being_asked_is_defective)
{
	add_gate("g",
	    READ PERMIT "while ! [ -e $D/.go ]; do sleep 0.01; done\n" PERMIT
			"touch $D/.gone; sleep 1000");
	start_well();
	ck_assert_int_eq(ask(0), 0);
	temp_dir_write(&dir, ".go", bat_bytes_text(""));
	while (!temp_dir_has(&dir, ".gone"))
		take_a_nap();
	ck_assert_int_eq(ask(0), BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "without being asked"));
}
END_TEST

START_TEST(who_answers_before_it_has_read_is_defective)
{
	struct bat_buf payload = BAT_BUF_EMPTY;

	put_long_text(&payload);
	draft.payload = bat_bytes_of_buf(&payload);
	add_gate("g", "head -c 100 >/dev/null\n" PERMIT "sleep 1000");
	start_well();
	ck_assert_int_eq(ask(0), BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "before it had read"));
	bat_bytes_free(&payload);
}
END_TEST

START_TEST(another_gate_goes_on_when_one_is_defective)
{
	add_gate("a", READ "exit");
	add_gate("b", ALWAYS(PERMIT));
	start_well();
	ck_assert_int_eq(ask(0), BAT_USE_INVALID);
	ck_assert_int_eq(ask(1), 0);
	ck_assert_int_eq(ask(1), 0);
	ck_assert_int_eq(ask(0), BAT_USE_INVALID);
}
END_TEST

/* ---- the directory --------------------------------------------------------- */

static void
assert_refused(const char *part)
{
	ck_assert_int_eq(start(60), BAT_USE_INVALID);
	ck_assert_msg(strstr(error.text, part) != NULL, "%s", error.text);
	ck_assert_ptr_null(gates);
}

START_TEST(a_directory_that_has_no_program_is_refused)
{
	struct batfs_gates_options missing = { .dir = "/no/such/directory",
		.limit_s = 60 };

	assert_refused("chmod +x");
	temp_dir_write(&dir, "README", bat_bytes_text("x"));
	assert_refused("chmod +x");
	ck_assert_int_eq(batfs_gates_start(&missing, &gates, &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(
	    strstr(error.text, "/no/such/directory: No such"));
}
END_TEST

START_TEST(what_others_may_change_is_refused)
{
	char path[512];

	add_gate("g", ALWAYS(PERMIT));
	snprintf(path, sizeof(path), "%s/g", dir.path);
	ck_assert_int_eq(chmod(path, 0775), 0);
	assert_refused("chmod go-w");
	ck_assert_int_eq(chmod(path, 0757), 0);
	assert_refused("/g: chmod go-w");
	ck_assert_int_eq(chmod(path, 0755), 0);
	ck_assert_int_eq(chmod(dir.path, 0777), 0);
	assert_refused("chmod go-w");
	ck_assert_int_eq(chmod(dir.path, 0755), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 12345, 0), 0);
		assert_refused("belongs to another user");
		ck_assert_int_eq(chown(path, 0, 0), 0);
	}
	start_well();
}
END_TEST

START_TEST(what_cannot_be_started_is_named)
{
	char path[512];

	add_gate("a", ALWAYS(PERMIT));
	temp_dir_write(&dir, "b", bat_bytes_text("#!/no/such/interpreter\n"));
	snprintf(path, sizeof(path), "%s/b", dir.path);
	ck_assert_int_eq(chmod(path, 0755), 0);
	assert_refused("/b: No such file or directory");
}
END_TEST

/* ---- what it has, and its end ---------------------------------------------- */

START_TEST(a_gate_has_nothing_of_ours)
{
	char got[4096], marker[512];
	unsigned pipes = 0;
	int fd;

	snprintf(marker, sizeof(marker), "%s/.marker", dir.path);
	fd = open(marker, O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	add_gate("a", ALWAYS(PERMIT));
	add_gate("b", "ls -l /proc/$$/fd >$D/.fds\n" READ PERMIT READ);
	start_well();
	ck_assert_int_eq(ask(1), 0);
	content_of(".fds", got, sizeof(got));
	ck_assert_ptr_null(strstr(got, ".marker"));
	ck_assert_ptr_null(strstr(got, "socket:"));
	/* Its own two pipes and nobody else's. */
	for (const char *at = got; (at = strstr(at, "pipe:")) != NULL; at++)
		pipes++;
	ck_assert_uint_eq(pipes, 2);
	close(fd);
}
END_TEST

START_TEST(they_end_when_they_are_stopped)
{
	pid_t polite, stubborn;

	add_gate("polite", ALWAYS(PERMIT));
	add_gate("stubborn",
	    "trap '' TERM HUP INT\nsleep 1000 <&- &\nwait\nsleep 1000");
	start_well();
	polite = pid_of("polite");
	stubborn = pid_of("stubborn");
	batfs_gates_stop(gates);
	gates = NULL;
	ck_assert_int_ne(kill(polite, 0), 0);
	ck_assert_int_ne(kill(stubborn, 0), 0);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

START_TEST(they_end_when_we_are_killed)
{
	pid_t daemon, polite, stubborn;
	int status;

	add_gate("polite", ALWAYS(PERMIT));
	add_gate("stubborn", "trap '' TERM HUP INT\nsleep 1000\nsleep 1000");
	daemon = fork();
	if (daemon == 0) {
		if (start(60) == 0)
			temp_dir_write(&dir, ".up", bat_bytes_text(""));
		pause();
	}
	while (!temp_dir_has(&dir, ".up"))
		take_a_nap();
	polite = pid_of("polite");
	stubborn = pid_of("stubborn");
	ck_assert_int_eq(kill(daemon, SIGKILL), 0);
	ck_assert_int_eq(waitpid(daemon, &status, 0), daemon);
	await_end(polite);
	await_end(stubborn);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("gates");
	TCase *talk = tcase_create("talk"), *defect = tcase_create("defect");
	TCase *folder = tcase_create("folder"), *end = tcase_create("end");
	TCase *all[] = { talk, defect, folder, end };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		tcase_add_checked_fixture(all[i], setup, teardown);
		tcase_set_timeout(all[i], 60);
		suite_add_tcase(suite, all[i]);
	}
	tcase_add_test(talk, a_question_is_a_line_of_json);
	tcase_add_test(talk, an_answer_permits_or_says_why_not);
	tcase_add_test(talk, programs_are_asked_in_the_order_of_their_names);
	tcase_add_test(talk,
	    a_long_question_and_a_flood_on_stderr_are_no_defect);
	tcase_add_test(talk, each_thread_gets_its_own_answer);
	tcase_add_loop_test(defect,
	    a_gate_that_does_not_answer_is_defective_for_good, 0,
	    (int)(sizeof(defects) / sizeof(defects[0])));
	tcase_add_test(defect, who_speaks_without_being_asked_is_defective);
	tcase_add_test(defect, who_answers_before_it_has_read_is_defective);
	tcase_add_test(defect, another_gate_goes_on_when_one_is_defective);
	tcase_add_test(folder, a_directory_that_has_no_program_is_refused);
	tcase_add_test(folder, what_others_may_change_is_refused);
	tcase_add_test(folder, what_cannot_be_started_is_named);
	tcase_add_test(end, a_gate_has_nothing_of_ours);
	tcase_add_test(end, they_end_when_they_are_stopped);
	tcase_add_test(end, they_end_when_we_are_killed);
	return suite_run(suite);
}
