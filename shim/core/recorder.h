/*
 * The recorder as a whole: its settings, and the way of a record out of the
 * process. lifecycle.c starts and ends it.
 */
#ifndef TLSWITNESS_RECORDER_H
#define TLSWITNESS_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/config/config_load.h"
#include "shim/core/enforcement.h"
#include "shim/origin/origin_process.h"
#include "shim/record/record.h"

#define RECORDER_GIVEN_MAX 2048

/* Set once by the start of the process, before main, and only read after it. */
struct recorder {
	bool on; /* started and not switched off: else every hook only passes through */
	uint64_t event_random[2];         /* from which event_id.h makes the records' names */
	struct enforcement_policy policy; /* of the process, by the settings */
	struct origin_process process;
	/* By which this process was given the recorder: "LD_PRELOAD=…" and TLSWITNESS_*, each with
	   its NUL, and one more at the end; empty where the loader's own file did. */
	char given[RECORDER_GIVEN_MAX];
	struct config config;
};

extern struct recorder recorder;

/* What was wrong with the settings; told with the first record. */
extern struct config_errors recorder_errors;

/*
 * State of one process and not of its children: a child made by fork finds it
 * zeroed (MADV_WIPEONFORK), one made by vfork shares it.
 */
struct recorder_process {
	pid_t pid;                /* 0 in a child that no hook saw made, until it asks for it */
	_Atomic uint64_t lost;    /* records that could not be written and are not yet told */
	_Atomic bool errors_told; /* the configuration-error records are out */
	_Atomic uint32_t exceptions_told; /* by bit: that they are over */
	_Atomic uint64_t since;           /* when the first record was counted; 0: none was */
	_Atomic uint32_t records;         /* how many were */
};

extern struct recorder_process *recorder_process;

/*
 * Before this process's own state is used: a child made by fork finds it wiped.
 * No system call but the first time.
 */
void recorder_enter(void);

/*
 * In a child made by fork, as soon as it is one: it knows itself before it has
 * children by vfork, which share what it knows. And where its state was not wiped
 * (before Linux 4.14), it is forgotten: its numbers of records are its parent's.
 */
void recorder_begin_child(void);

/*
 * True if this is the process whose state the tables describe: the one that
 * was started, or a child made by fork, which has its own copy. False in a
 * child made by vfork, which must leave its parent's tables alone.
 */
bool recorder_owns_tables(void);

/*
 * Completes the record with what is the same for all of this process
 * (settings, process, host) and writes it. Thread-safe; takes no lock; leaves
 * errno alone. What can't be written is counted and told later.
 */
void recorder_emit(struct record *record);

/* What was held, and by which exception, into a record. */
void recorder_tell_policy(struct record *record, const struct enforcement_policy *policy);

/* A record that there should be, and can't be made. */
void recorder_count_lost(void);

/* Before a sandbox closes: what is asked for each record else. */
void recorder_prepare_sandbox(void);

/* How often this process has forked, and that it has once more. */
unsigned recorder_forks(void);
void recorder_count_fork(void);

/* Before an end of the process without destructors: what is still open gets its record. */
void recorder_settle(void);

/* Tells what was lost, if the log can be written by now. For the end of the process. */
void recorder_finish(void);

/* The time of day. */
void recorder_now(struct timespec *now);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t recorder_clock(void);

/* CLOCK_REALTIME in seconds. */
int64_t recorder_seconds(void);

#endif
