/**
 * Ports from which a cloud's load balancer dials when it asks whether a node or a pod is healthy, as `nft` and `ip` take
 * ranges: Azure's does so from the address of its WireServer (Azure Load Balancer, "Health probes", "Probe source IP
 * address"), which itself listens at 80 and 32526 ("What is IP address 168.63.129.16?"). Services' node ports lead its
 * connections to pods, whose answers have to pass. The kernel takes no range for a policy route that ends at 65535.
 */
export const PROBE_PORTS: readonly string[] = ['1024-32525', '32527-65534']
