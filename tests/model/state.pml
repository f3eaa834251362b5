/* What is remembered, by whom. */

/* PostgreSQL. */
byte owner[PARTS];         /* node + 1; 0: nobody */
byte published[PARTS];
byte length[PARTS];
byte row[PARTS * ROWS];
bool in_flight[NODES];     /* a commit that nobody waits for any more and that has not come to an end */
byte flight_seq[NODES * PARTS];
byte flight_row[NODES * PARTS];
byte flight_item[NODES * PARTS];

/* RabbitMQ, with the hearer behind it. */
byte ready[KINDS];         /* copies in the partitions' queues */
byte requests[3];          /* copies in the workers' queue, by attempt */
byte said[PARTS * ROWS];   /* ghost: the id under which a row's message was said first, plus 1 */
byte heard[PARTS];         /* hearer's inbox: ids seen, a set */
byte effects[PARTS];       /* how often the hearer acted */

/* The nodes' memories. */
#define IDLE 0
#define DECIDED 1          /* a batch is decided in memory */
#define CHECKED 2          /* only where the epoch is checked before the write: it has been checked */
#define COMMITTED 3        /* durable and adopted; its items are not acked yet */
#define DOUBT 4            /* the connection broke within the commit */
byte at[NODES];
bool alive[NODES];         /* as the others see it: lock held, seen within the lease */
bool disconnected[NODES];  /* the broker has taken back what this batch holds: acking it means nothing */
bool serves[NODES * PARTS];
bool newest[NODES * PARTS]; /* whether the epoch it holds is still the partition's */
byte seq[NODES * PARTS];   /* of the newest row it knows; its picture of the execution is the row at this seq */
byte open[NODES * PARTS];  /* rows whose messages are with the publisher and not confirmed, a set */
byte item[NODES * PARTS];  /* in the batch */
byte decided[NODES * PARTS];
bool early[NODES * PARTS]; /* only where a message is said before its commit: it has been said */

byte faults = FAULTS;
hidden byte i;
hidden byte j;
hidden byte fine;
