// The definitions every cloud is given: what nova, cinder and the clients understand as properties of images, flavors and aggregates. Names, types
// and values are facts of those programs; the words are ours. Read once, when the tables are made.

export interface Definition { title: string, type: string, [more: string]: unknown }
type Definitions = Record<string, Definition>
/** A namespace with all that lies in it. */
export interface SeededNamespace {
  namespace: string
  displayName: string
  description: string
  protected: boolean
  /** Resource type, prefix, properties target. */
  associations: [name: string, prefix?: string, target?: string][]
  properties: Definitions
  objects?: Record<string, { description: string, properties: Definitions }>
}

const of = (type: string) => (title: string, description: string, more: object = {}): Definition => ({ title, description, type, ...more })
const text = of('string'), whole = of('integer'), real = of('number'), truth = of('boolean')
const split = (values: string): string[] => values.split(values.includes(', ') ? ', ' : ' ')
const one = (title: string, values: string, description: string, more: object = {}): Definition => text(title, description, { enum: split(values), ...more })
const any = { operators: ['<or>'] }
const many = (title: string, values: string, description: string): Definition =>
  of('array')(title, description, { items: { type: 'string', enum: split(values) }, operators: ['<or>', '<all-in>'] })
const port = (title: string, number: number): Definition => whole(title, `The TCP port it listens on; usually ${number}.`, { minimum: 1, maximum: 65535, default: number })

type Associations = SeededNamespace['associations']
const image = (prefix?: string): Associations[number] => ['OS::Glance::Image', prefix]
const volume = (prefix?: string): Associations[number] => ['OS::Cinder::Volume', prefix, 'image']
const flavor = (prefix?: string): Associations[number] => ['OS::Nova::Flavor', prefix]
const aggregate = (prefix?: string): Associations[number] => ['OS::Nova::Aggregate', prefix]
const server = (target: string): Associations[number] => ['OS::Nova::Server', undefined, target]
const ns = (
  namespace: string, displayName: string, description: string, associations: Associations,
  properties: Definitions, more: Partial<SeededNamespace> = {},
): SeededNamespace =>
  ({ namespace, displayName, description, protected: true, associations, properties, ...more })

const uuid = { pattern: '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$' }
const version = text('Version', 'The version that is installed.')
/** A program in an image: its version, its port and who administers it. */
const software = (key: string, portName: string, number: number, admin?: string): Definitions => ({
  [`sw_database_${key}_version`]: version, [`sw_database_${key}_${portName}`]: port('Listen Port', number),
  [`sw_database_${key}_admin`]: text('Admin User', 'The user that administers it.', admin === undefined ? {} : { default: admin }),
})
const webserver = (key: string): Definitions => ({
  [`sw_webserver_${key}_version`]: version,
  [`sw_webserver_${key}_http_port`]: port('HTTP Port', 80), [`sw_webserver_${key}_https_port`]: port('HTTPS Port', 443),
})
const program = (description: string, properties: Definitions) => ({ description, properties })
const quota = (title: string, of: string, more: object = {}): Definition => whole(`Quota: ${title}`, of, more)

const guests: SeededNamespace[] = [
  ns('OS::Compute::CPUMode', 'CPU Mode', 'Which processor a guest sees, compared with its host\'s.', [image('hw_'), flavor('hw:')],
    { cpu_mode: one('CPU Mode', 'none host-model host-passthrough custom', 'The host\'s own processor, one like it, a named one, or the hypervisor\'s default.') }, { protected: false }),
  ns('OS::Compute::CPUPinning', 'CPU Pinning', 'Whether virtual processors keep host processors to themselves.', [image('hw_'), volume('hw_'), flavor('hw:')], {
    cpu_policy: one('CPU Pinning policy', 'shared dedicated', 'Shared processors float over the host; dedicated ones are pinned, each to one of the host\'s.'),
    cpu_thread_policy: one('CPU Thread Pinning Policy', 'isolate prefer require', 'What pinning makes of hosts with simultaneous multithreading.'),
  }),
  ns('OS::Compute::GuestMemoryBacking', 'Guest Memory Backing', 'The pages a guest\'s memory is made of.', [flavor('hw:'), image('hw_'), volume('hw_')],
    { mem_page_size: text('Size of memory page', 'small, large, any, or a size such as 2048 (KiB) or 1GB.') }),
  ns('OS::Compute::GuestShutdownBehavior', 'Shutdown Behavior', 'How a guest is shut down.', [image()],
    { os_shutdown_timeout: whole('Shutdown timeout', 'Seconds the guest is given to shut itself down before its power is cut.', { minimum: 0 }) }),
  ns('OS::Compute::HostCapabilities', 'Compute Host Capabilities', 'What the host of a guest must be able to do.',
    [flavor('capabilities:'), aggregate('aggregate_instance_extra_specs:')], {
    'cpu_info:vendor': one('Vendor', 'Intel AMD', 'Who made the processor.', any),
    'cpu_info:model': text('Model', 'The processor\'s model as libvirt calls it, such as Haswell.', any),
    'cpu_info:arch': one('Architecture', 'x86 x86_64 i686 ia64 ARMv8-A ARMv7-A', 'The processor\'s architecture.', any),
    'cpu_info:topology:cores': whole('cores', 'Cores a socket.', { default: 1 }),
    'cpu_info:topology:threads': whole('threads', 'Threads a core.', { default: 1 }),
    'cpu_info:topology:sockets': whole('sockets', 'Sockets.', { default: 1 }),
    'cpu_info:features': of('array')('Features', 'Flags the processor must have, as /proc/cpuinfo writes them.', { items: { type: 'string' }, operators: ['<or>', '<all-in>'] }),
  }),
  ns('OS::Compute::Hypervisor', 'Hypervisor Selection', 'The hypervisor an image needs.', [image()], {
    hypervisor_type: one('Hypervisor Type', 'baremetal hyperv kvm lxc powervm qemu uml vmware vz xen', 'Only hosts with this hypervisor are taken.'),
    vm_mode: one('VM Mode', 'hvm xen uml exe', 'How the guest talks to the hypervisor: full virtualisation, paravirtualised, user mode, or a container.'),
  }),
  ns('OS::Compute::InstanceData', 'Instance Config Data', 'What a guest is told when it boots, and how its snapshots are taken.', [image(), volume()], {
    img_config_drive: one('Config Drive', 'optional mandatory', 'Mandatory: the guest cannot boot without a config drive.'),
    os_require_quiesce: one('Require Quiescent File system', 'yes no', 'yes: a snapshot fails when the file systems cannot be frozen first.'),
  }),
  ns('OS::Compute::LibvirtImage', 'libvirt Driver Options for Images', 'The devices QEMU and KVM give a guest.', [image()], {
    hw_cdrom_bus: one('CD-ROM Bus', 'scsi virtio uml xen ide usb fdc sata lxc', 'What CD-ROM drives are attached to.'),
    hw_disk_bus: one('Disk Bus', 'scsi virtio uml xen ide usb fdc sata lxc', 'What disks are attached to.'),
    hw_firmware_type: one('Firmware Type', 'bios uefi', 'The firmware the guest boots with.'),
    hw_firmware_stateless: truth('Stateless Firmware', 'True: variables of UEFI are not kept.'),
    hw_rng_model: text('Random Number Generator Device model', 'The device that hands the guest random numbers.', { default: 'virtio' }),
    hw_machine_type: text('Machine Type', 'QEMU\'s machine, such as q35 or virt.'),
    hw_scsi_model: text('SCSI Model', 'The controller of disks on the scsi bus.', { default: 'virtio-scsi' }),
    hw_video_model: one('Video Model', 'vga cirrus vmvga xen qxl virtio gop none bochs', 'The graphics card.'),
    hw_video_ram: whole('Max Video Ram', 'MiB of video memory, at most what the flavor allows.', { minimum: 0 }),
    os_command_line: text('Kernel Command Line', 'For images that bring a kernel of their own: its arguments.'),
    os_type: one('OS Type', 'linux windows', 'Which defaults the guest\'s clock and disks get.'),
    hw_vif_model: one('Virtual Network Interface', 'e1000 e1000e ne2k_pci netfront pcnet rtl8139 spapr-vlan virtio vmxnet3 igb', 'The network card.'),
    hw_vif_multiqueue_enabled: one('Multiqueue Enabled', 'true false', 'true: as many queues a network card as there are processors.'),
    hw_pmu: one('Virtual Performance Monitoring Unit', 'true false', 'Whether the guest sees performance counters.'),
    hw_qemu_guest_agent: one('QEMU Guest Agent', 'yes no', 'yes: the image runs QEMU\'s guest agent, which freezes file systems and sets passwords.'),
    hw_pointer_model: one('Pointer Model', 'usbtablet', 'The pointing device of the console.'),
    img_hide_hypervisor_id: one('Hide hypervisor id', 'yes no', 'yes: the guest is not told that it is one.'),
  }),
  ns('OS::Compute::Libvirt', 'libvirt Driver Options', 'What QEMU and KVM are told of a guest by its image or flavor.', [image('hw_'), flavor('hw:')], {
    serial_port_count: whole('Serial Port Count', 'How many serial ports the guest has.', { minimum: 0 }),
    boot_menu: one('Boot Menu', 'true false', 'true: the firmware shows its menu.'),
    mem_encryption: one('Hardware Memory Encryption', 'true false', 'true: the guest\'s memory is encrypted by the processor.'),
    mem_encryption_model: one('Hardware Memory Encryption Model', 'amd-sev amd-sev-es amd-sev-snp', 'Which of the processor\'s kinds of encryption.'),
    virtio_packed_ring: one('Virtio Packed Ring', 'true false', 'true: virtio devices use packed rings.'),
  }),
  ns('OS::Compute::RandomNumberGenerator', 'Random Number Generator', 'Whether and how fast a guest gets random numbers.', [flavor()], {
    'hw_rng:allowed': truth('Random Number Generator Allowed', 'True: the guest gets the device when its image asks for one.'),
    'hw_rng:rate_bytes': whole('Random number generator limits', 'Bytes the guest may read in each period.'),
    'hw_rng:rate_period': whole('Random number generator read period', 'The period in milliseconds.'),
  }),
  ns('OS::Compute::TPM', 'TPM Options', 'The trusted platform module a guest is given.', [flavor('hw:'), image('hw_')], {
    tpm_model: one('TPM model', 'tpm-tis tpm-crb', 'Its interface; tpm-crb needs version 2.0.', { default: 'tpm-tis', ...any }),
    tpm_version: one('TPM version', '1.2 2.0', 'Its version; without one there is none.', any),
  }),
  ns('OS::Compute::VTPM', 'Emulated Virtual TPM', 'Hosts that emulate a trusted platform module.', [flavor('traits:'), image('traits:')], {
    COMPUTE_SECURITY_TPM_1_2: one('Virtual TPM Version 1.2 Support', 'required', 'The host must emulate version 1.2.', { default: 'required' }),
    COMPUTE_SECURITY_TPM_2_0: one('Virtual TPM Version 2.0 Support', 'required', 'The host must emulate version 2.0.', { default: 'required' }),
  }),
  ns('OS::Compute::VirtCPUTopology', 'Virtual CPU Topology', 'How a guest\'s processors are arranged.', [image('hw_'), volume('hw_'), flavor('hw:')], {
    cpu_sockets: whole('vCPU Sockets', 'Preferred number of sockets.'),
    cpu_cores: whole('vCPU Cores', 'Preferred number of cores a socket.'),
    cpu_threads: whole('vCPU Threads', 'Preferred number of threads a core.'),
    cpu_max_sockets: whole('Max vCPU Sockets', 'No more sockets than these.'),
    cpu_max_cores: whole('Max vCPU Cores', 'No more cores a socket than these.'),
    cpu_max_threads: whole('Max vCPU Threads', 'No more threads a core than these.'),
  }),
  ns('OS::Compute::Watchdog', 'Watchdog Behavior', 'What happens to a guest that no longer answers its watchdog.', [image('hw_'), volume('hw_'), flavor('hw:')],
    { watchdog_action: one('Watchdog Action', 'disabled reset poweroff pause none', 'The action; disabled: there is no watchdog.') }),
  ns('OS::Compute::XenAPI', 'XenAPI Driver Options', 'For hosts that run XenServer.',
    [image()], { auto_disk_config: truth('Disk Adapter Type', 'True: the root partition grows with the disk.') }),
  ns('OS::Compute::VMware', 'VMware Driver Options', 'For hosts that run vSphere.', [image()], {
    img_linked_clone: truth('Linked Clone', 'True: disks are linked clones of the image, false: full copies.'),
    vmware_adaptertype: one('Disk Adapter Type', 'lsiLogic lsiLogicsas paraVirtual busLogic ide', 'What disks are attached to.', { default: 'lsiLogic' }),
    vmware_disktype: one('Disk Provisioning Type', 'streamOptimized sparse preallocated', 'How the image\'s disk is stored.', { default: 'preallocated' }),
    vmware_ostype: text('OS Type', 'vSphere\'s name of the operating system, such as debian10_64Guest.', { default: 'otherGuest' }),
    hw_vif_model: one('Virtual Network Interface', 'e1000 e1000e VirtualE1000 VirtualE1000e VirtualPCNet32 VirtualVmxnet VirtualVmxnet3', 'The network card.', { default: 'e1000' }),
    hw_vif_multiqueue_enabled: one('Multiqueue Enabled', 'true false', 'true: as many queues a network card as there are processors.'),
  }),
  ns('OS::Compute::VMwareFlavor', 'VMware Driver Options for Flavors', 'What vSphere is told by a flavor.', [flavor()], {
    'vmware:hw_version': one('VMware Hardware Version', 'vmx-13 vmx-11 vmx-10 vmx-09 vmx-08 vmx-07 vmx-04 vmx-03', 'The version of the virtual machine\'s hardware.'),
    'vmware:storage_policy': text('VMware Storage Policy', 'The policy that places the guest\'s disks.'),
  }),
]

const limits: SeededNamespace[] = [
  ns('OS::Compute::AggregateDiskFilter', 'Disk Allocation per Host', 'How far the disks of a host are oversold.',
    [aggregate()], { disk_allocation_ratio: real('Disk Subscription Ratio', 'Promised over real space: 1.0 sells none twice.') }),
  ns('OS::Compute::AggregateIoOpsFilter', 'IO Ops per Host', 'How many guests of a host may be busy with their disks.', [aggregate()],
    { max_io_ops_per_host: whole('Maximum IO Operations per Host', 'Guests that are being built, resized, snapshotted, migrated or rescued at once.', { minimum: 1, default: 8 }) }),
  ns('OS::Compute::AggregateNumInstancesFilter', 'Instances per Host', 'How many guests a host may have.',
    [aggregate()], { max_instances_per_host: whole('Max Instances Per Host', 'No guests beyond these.', { minimum: 0 }) }, { protected: false }),
  ns('OS::Compute::VMwareQuotaFlavor', 'VMware Quota for Flavors', 'Processor time of guests on vSphere.', [flavor()], {
    'quota:cpu_limit': quota('CPU Limit', 'MHz a guest may use at most; 0: no limit.', { minimum: 0 }),
    'quota:cpu_reservation': quota('CPU Reservation Limit', 'MHz a guest is sure of.', { minimum: 0 }),
  }),
  ns('OS::Compute::Quota', 'Flavor Quota', 'What guests of a flavor may use of their host.', [flavor()], {}, { objects: {
    'CPU Limits': program('Processor time, as control groups share it out.', {
      'quota:cpu_shares': quota('CPU Shares', 'The guest\'s weight beside the others on its host.'),
      'quota:cpu_period': quota('CPU Period', 'Microseconds over which the quota counts.', { minimum: 1000, maximum: 1_000_000 }),
      'quota:cpu_quota': quota('CPU Quota', 'Microseconds of processor time in each period; below 0: no bound.'),
    }),
    'Disk QoS': program('Disk traffic in each second.', Object.fromEntries(['read', 'write', 'total'].flatMap((way) => [
      [`quota:disk_${way}_bytes_sec`, quota(`Disk ${way} bytes / sec`, `Bytes, ${way}.`)], [`quota:disk_${way}_iops_sec`, quota(`Disk ${way} IOPS / sec`, `Operations, ${way}.`)],
    ]))),
    'Virtual Interface QoS': program('Network traffic of each interface.', Object.fromEntries(['inbound', 'outbound'].flatMap((way) => [
      [`quota:vif_${way}_average`, quota(`VIF ${way} average`, `Average kilobytes a second, ${way}.`)],
      [`quota:vif_${way}_peak`, quota(`VIF ${way} peak`, `Most kilobytes a second, ${way}.`)],
      [`quota:vif_${way}_burst`, quota(`VIF ${way} burst`, `Kilobytes that may pass at the peak, ${way}.`)],
    ]))),
  } }),
]

const contents: SeededNamespace[] = [
  ns('OS::Glance::CommonImageProperties', 'Common Image Properties', 'What is commonly said of an image.', [], {
    kernel_id: text('Kernel ID', 'The image that holds the kernel, for images without one.', uuid),
    ramdisk_id: text('Ramdisk ID', 'The image that holds the initial ramdisk.', uuid),
    instance_uuid: text('Instance ID', 'The server that the image is a snapshot of.'),
    architecture: text('CPU Architecture', 'The processor architecture it runs on, such as x86_64.'),
    os_distro: text('OS Distro', 'The distribution in lower case, such as debian.'),
    os_version: text('OS Version', 'The distribution\'s version.'), hw_cpu_mode: text('CPU Mode', 'Which processor guests see.'),
    description: text('Image description', 'What it is, for people.'),
    cinder_encryption_key_id: text('Cinder Encryption Key ID', 'The key of an encrypted volume that was made into this image.'),
    cinder_encryption_key_deletion_policy: one('Cinder Encryption Key Deletion Policy', 'on_image_deletion do_not_delete', 'Whether that key goes with the image.'),
  }),
  ns('OS::Glance::Signatures', 'Image Signature Verification', 'How the signature of an image is verified.', [image()], {
    img_signature: text('Image Signature', 'The signature of the data, in base64.'),
    img_signature_certificate_uuid: text('Image Signature Certificate UUID', 'The certificate, as the key manager knows it.'),
    img_signature_hash_method: one('Image Signature Hash Method', 'SHA-224 SHA-256 SHA-384 SHA-512', 'The digest that was signed.'),
    img_signature_key_type: one('Image Signature Key Type', 'RSA-PSS DSA ECC_SECT571K1 ECC_SECT409K1 ECC_SECT571R1 ECC_SECT409R1 ECC_SECP521R1 ECC_SECP384R1', 'The kind of key.'),
  }, { protected: false }),
  ns('OS::OperatingSystem', 'Common Operating System Properties', 'The operating system in an image.', [image(), volume()], {
    os_distro: text('OS Distro', 'The distribution in lower case, such as debian.'),
    os_version: text('OS Version', 'The distribution\'s version.'),
    os_admin_user: text('OS Admin User', 'The account that administers it.'),
  }),
  ns('OS::Cinder::Volumetype', 'Cinder Volume Type', 'The type of volumes that are made from an image.',
    [image('cinder_')], { img_volume_type: text('Image Volume Type', 'The volume type\'s name.') }),
  ns('OS::Software::DBMS', 'Database Software', 'Databases that are installed.', [image(), volume(), server('metadata'), ['OS::Trove::Instance']], {}, { objects: {
    MySQL: program('MySQL and what is compatible with it.', software('mysql', 'listen_port', 3306, 'root')),
    PostgreSQL: program('PostgreSQL.', software('postgresql', 'listen_port', 5432, 'postgres')),
    'SQL Server': program('Microsoft\'s SQL Server.', {
      ...software('sqlserver', 'listen_port', 1433, 'sa'),
      sw_database_sqlserver_edition: one('Edition', 'Datacenter, Enterprise, Standard, Web, Business Intelligence, Workgroup, Express, Developer', 'The edition.', { default: 'Express' }),
    }),
    Oracle: program('Oracle\'s database.', {
      ...software('oracle', 'listen_port', 1521),
      sw_database_oracle_edition: one('Edition', 'Enterprise, Standard, Standard Edition One, Express (XE), Workgroup, Lite', 'The edition.', { default: 'Express (XE)' }),
    }),
    DB2: program('IBM\'s DB2.', software('db2', 'port', 50000)), MongoDB: program('MongoDB.', software('mongodb', 'listen_port', 27017)),
    'Couchbase Server': program('Couchbase.', software('couchbaseserver', 'listen_port', 11211, 'admin')),
    Redis: program('Redis.', software('redis', 'listen_port', 6379, 'admin')),
    CouchDB: program('Apache CouchDB.', software('couchdb', 'listen_port', 5984)),
    'Apache Cassandra': program('Apache Cassandra.', software('cassandra', 'listen_port', 9160, 'cassandra')),
    HBase: program('Apache HBase.', { sw_database_hbase_version: version }),
  } }),
  ns('OS::Software::Runtimes', 'Runtime Environment', 'Languages that are installed.', [image(), volume(), server('metadata')], {}, {
    objects: Object.fromEntries(['PHP', 'Python', 'Java', 'Ruby', 'Perl'].map((name) =>
      [name, program(`${name} and its standard libraries.`, { [`sw_runtime_${name.toLowerCase()}_version`]: version })])),
  }),
  ns('OS::Software::WebServers', 'Web Servers', 'Web servers that are installed.', [image(), volume(), server('metadata')], {}, {
    objects: {
      'Apache HTTP Server': program('Apache\'s web server.', webserver('apache')),
      Nginx: program('nginx.', webserver('nginx')), IIS: program('Microsoft\'s web server.', webserver('iis')),
    },
  }),
]

/** Properties of one of CIM's classes; `=` stands before values. */
const cim = (lines: string): Definitions => Object.fromEntries(lines.trim().split('\n').map((line) => {
  const [name, values] = line.trim().split(' = ') as [string, string?], title = name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
  return [name, values === undefined ? text(title, `CIM's ${name}.`) : one(title, values, `CIM's ${name}.`, any)]
}))
const dmtf = (setting: string): string => `The DMTF's common information model: ${setting}.`
const models: SeededNamespace[] = [
  ns('CIM::ProcessorAllocationSettingData', 'CIM Processor Allocation Setting', dmtf('processors of a virtual system'),
    [volume('CIM_PASD_'), image('CIM_PASD_'), aggregate('CIM_PASD_'), flavor('CIM_PASD_'), server('scheduler_hints')], {
    InstructionSet: one('Instruction Set',
      'x86:i386 x86:i486 x86:i586 x86:i686 x86:64 IA-64:IA-64 AS/400:TIMI Power:Power_2.03 Power:Power_2.04 Power:Power_2.05 '
      + 'Power:Power_2.06 S/390:ESA/390 S/390:z/Architecture S/390:z/Architecture_2 PA-RISC:PA-RISC_1.0 PA-RISC:PA-RISC_2.0 '
      + 'ARM:A32 ARM:A64 MIPS:MIPS_I MIPS:MIPS_II MIPS:MIPS_III MIPS:MIPS_IV MIPS:MIPS_V MIPS:MIPS32 MIPS64:MIPS64 Alpha:Alpha '
      + 'SPARC:SPARC_V7 SPARC:SPARC_V8 SPARC:SPARC_V9 SPARC:SPARC_JPS1 SPARC:UltraSPARC2005 SPARC:UltraSPARC2007 68k:68000 '
      + '68k:68010 68k:68020 68k:68030 68k:68040 68k:68060',
      'The instructions the processors understand.', any),
    ProcessorArchitecture: one('Processor Architecture', 'x86 IA-64 AS/400 Power S/390 PA-RISC ARM MIPS Alpha SPARC 68k', 'The processors\' architecture.', any),
    InstructionSetExtensionName: many('Instruction Set Extension',
      'x86:3DNow x86:3DNowExt x86:ABM x86:AES x86:AVX x86:AVX2 x86:BMI x86:CX16 x86:F16C x86:FSGSBASE x86:LWP x86:MMX '
      + 'x86:PCLMUL x86:RDRND x86:SSE2 x86:SSE3 x86:SSSE3 x86:SSE4A x86:SSE41 x86:SSE42 x86:FMA3 x86:FMA4 x86:XOP x86:TBM '
      + 'x86:VT-d x86:VT-x x86:EPT x86:SVM PA-RISC:MAX PA-RISC:MAX2 ARM:DSP ARM:Jazelle-DBX ARM:Thumb ARM:Thumb-2 ARM:ThumbEE '
      + 'ARM:VFP ARM:NEON ARM:TrustZone MIPS:MDMX MIPS:MIPS-3D Alpha:BWX Alpha:FIX Alpha:CIX Alpha:MVI',
      'What the processors understand beyond it.'),
  }),
  ns('CIM::ResourceAllocationSettingData', 'CIM Resource Allocation Setting Data', dmtf('resources of a virtual system'),
    [volume('CIM_RASD_'), aggregate('CIM_RASD_'), flavor('CIM_RASD_')], {
    ...cim(`
      Address
      AddressOnParent
      AllocationUnits
      ConsumerVisibility = Unknown, Passed-Through, Virtualized, Not represented, DMTF reserved, Vendor Reserved
      Limit
      MappingBehavior = Unknown, Not Supported, Dedicated, Soft Affinity, Hard Affinity, DMTF Reserved, Vendor Reserved
      OtherResourceType
      Parent
      PoolID
      Reservation
      ResourceSubType
      ResourceType = Other, Computer System, Processor, Memory, IDE Controller, Parallel SCSI HBA, FC HBA, iSCSI HBA, IB HCA, Ethernet Adapter, Other Network Adapter, I/O Slot, I/O Device, Floppy Drive, CD Drive, DVD drive, Disk Drive, Tape Drive, Storage Extent, Other storage device, Serial port, Parallel port, USB Controller, Graphics controller, IEEE 1394 Controller, Partitionable Unit, Base Partitionable Unit, Power, Cooling Capacity, Ethernet Switch Port, Logical Disk, Storage Volume, Ethernet Connection, DMTF reserved, Vendor Reserved
      VirtualQuantity
      VirtualQuantityUnits
      Weight
      Connection
      HostResource`),
    AutomaticAllocation: truth('Automatic Allocation', 'CIM\'s AutomaticAllocation.'), AutomaticDeallocation: truth('Automatic Deallocation', 'CIM\'s AutomaticDeallocation.'),
  }),
  ns('CIM::StorageAllocationSettingData', 'CIM Storage Allocation Setting Data', dmtf('storage of a virtual system'),
    [['OS::Cinder::Volume', 'CIM_SASD_'], aggregate('CIM_SASD_'), flavor('CIM_SASD_')], cim(`
      Access = Unknown, Readable, Writeable, Read/Write Supported, DMTF Reserved
      HostExtentName
      HostExtentNameFormat = Unknown, Other, SNVM, NAA, EUI64, T10VID, OS Device Name, DMTF Reserved
      HostExtentNameNamespace = Unknown, Other, VPD83Type3, VPD83Type2, VPD83Type1, VPD80, NodeWWN, SNVM, OS Device Namespace, DMTF Reserved
      HostExtentStartingAddress
      HostResourceBlockSize
      Limit
      OtherHostExtentNameFormat
      OtherHostExtentNameNamespace
      Reservation
      VirtualQuantity
      VirtualQuantityUnits
      VirtualResourceBlockSize`)),
  ns('CIM::VirtualSystemSettingData', 'CIM Virtual System Setting Data', dmtf('a virtual system as a whole'), [aggregate('CIM_VSSD_'), flavor('CIM_VSSD_')], cim(`
      AutomaticRecoveryAction = None, Restart, Revert to snapshot, DMTF Reserved
      AutomaticShutdownAction = Turn Off, Save state, Shutdown, DMTF Reserved
      AutomaticStartupAction = None, Restart if previously active, Always startup, DMTF Reserved
      AutomaticStartupActionDelay
      AutomaticStartupActionSequenceNumber
      ConfigurationDataRoot
      ConfigurationFile
      ConfigurationID
      CreationTime
      LogDataRoot
      RecoveryFile
      SnapshotDataRoot
      SuspendDataRoot
      SwapFileDataRoot
      VirtualSystemIdentifier
      VirtualSystemType
      Notes`)),
]

/** The namespaces of a new cloud. */
export const catalogue: SeededNamespace[] = [...guests, ...limits, ...contents, ...models]
