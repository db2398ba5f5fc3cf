/*
 * Where variables lie that are written in every process as it starts.
 */
#ifndef TLSWITNESS_START_PAGE_H
#define TLSWITNESS_START_PAGE_H

/*
 * Beside the pointers that the loader writes, on a page that the process has by then: among
 * the tables each of them costs a page fault or two, some microseconds in each process.
 */
#define START_PAGE __attribute__((section(".data")))

#endif
