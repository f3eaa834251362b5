/* How a partition changes hands while its journal is written and its messages are said. docs/protocol-model.md tells the story.

   Two nodes, two partitions. Partition 0 runs an execution with an activity: START asks a worker (attempt 1), RETRY asks again
   (attempt 2) when the lease on the answer runs out, DONE takes the answer and says `completed`. Partition 1 runs one that
   needs nobody: ONCE. A node's batch may span both partitions.

   Every command below is one atomic step of the real system, so a fault can fall between any two of them. -DFAULTS=n: how many
   faults a run may have, of whatever kinds. -DONLY=p: check one property alone. -DBUG=b: take one guard out. */

#include "words.pml"
#include "state.pml"
#include "steps.pml"
#include "node.pml"
#include "outside.pml"
