/* What the model speaks of: its bounds, its properties, its seeded bugs, transitions and items. */

#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef PARTITIONS
#define PARTITIONS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef SHARES
#define SHARES 0
#endif
#ifndef ONLY
#define ONLY 0
#endif
#ifndef BUG
#define BUG 0
#endif

/* Properties. */
#define ORDER 1    /* a row's seq is one more than that of the row before it */
#define APPLIED 2  /* no transition is in the journal twice */
#define FORMER 3   /* an answer counts only for the attempt it answers */
#define ZOMBIE 4   /* who writes holds the newest epoch, and alone */
#define PHANTOM 5  /* what is heard is in the journal */
#define ONE_ID 6   /* a transition's message has one id, however often it is said */
#define ONE_EFFECT 7 /* a hearer acts once on an execution's end */
#define LOST 8     /* when nothing can happen any more, everything accepted is done, said, heard, and known as published */
#define must(property, truth) assert((ONLY != 0 && ONLY != property) || (truth))

/* Bugs: each takes one guard out. */
#define NO_EPOCH_CHECK 1
#define CHECK_THEN_WRITE 2
#define ACK_BEFORE_COMMIT 3
#define PUBLISH_BEFORE_COMMIT 4
#define PUBLISHED_BEFORE_CONFIRM 5
#define NOT_SAID_AGAIN 6
#define MEMORY_AFTER_DOUBT 7
#define TRUTH_UNDER_OLD_EPOCH 8
#define NO_DEDUPE 9
#define NO_STATUS_GUARD 10
#define NO_ATTEMPT_GUARD 11
#define LEASE_WITHOUT_EPOCH 12
#define FRESH_IDS 13
#define IDLE_ACK_UNFENCED 14
#define WORKER_ACKS_FIRST 15
#define ONE_EPOCH_IS_ENOUGH 16
#define STALE_BELIEF 17

#define NODES 2
#define PARTS 2    /* that there are; PARTITIONS: that have work */
#define ROWS 5     /* a right journal has at most three rows; a wrong one stops growing here */

/* Transitions, as journal rows name them. An execution's state is its newest row. */
#define NOTHING 0
#define START 1
#define RETRY 2
#define DONE 3
#define ONCE 4

/* Items a partition's queue brings; TICK is the owner's own. */
#define S0 0       /* execution.start to partition 0 */
#define A1 1       /* the answer to attempt 1 */
#define A2 2       /* the answer to attempt 2 */
#define S1 3       /* execution.start to partition 1 */
#define KINDS 4
#define TICK 4
#define NONE 5
