using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Espressif
{
    // What the RTC controllers of Espressif's chips share, at offsets of their own: software resets, the cause of the last reset, the
    // watchdog with its key and interrupt, STORE0 to 7 that outlive all resets but those of the system. A reset waits for the end of
    // the quantum, resets every peripheral of the machine, sensors included, and loads the program anew (macro reset).
    public abstract class EspressifRtc : IDoubleWordPeripheral, IKnownSize
    {
        // frequency: of the slow clock. The rest: offsets of RESET_STATE, INT_ENA (RAW, ST and CLR follow), STORE0 and STORE4 (three
        // follow each), WDTCONFIG0 (four more, WDTFEED and WDTWPROTECT follow). firstShift: of the first stage's ticks.
        protected EspressifRtc(IMachine machine, ulong frequency, long state, long enable, long store0, long store4, long watchdog0, int firstShift)
        {
            this.machine = machine;
            this.state = state;
            this.enable = enable;
            this.store0 = store0;
            this.store4 = store4;
            this.watchdog0 = watchdog0;
            this.firstShift = firstShift;
            IRQ = new GPIO();
            watchdog = new EspressifWatchdog(machine, this, frequency, Act);
            registers = new EspressifRegisters(this)
                .With(state, 0x3000).With(enable, refused: ~WatchdogInterrupt).With(Raw, readOnly: true).With(Status, readOnly: true)
                .With(Clear).WithMany(store0, 4).WithMany(store4, 4).With(Feed);
        }

        // The cause that the next reset has; the group timers' watchdogs set theirs here.
        public void RequestReset(uint cause)
        {
            if(nextCause != 0) { return; }
            nextCause = cause;
            machine.RequestReset();
        }

        public void Reset()
        {
            var stores = new uint[8];
            for(var n = 0; n < 8; n++) { stores[n] = registers[Store(n)]; }
            registers.Reset();
            resetCause = nextCause != 0 ? nextCause : PowerOn;
            nextCause = 0;
            for(var n = 0; n < 8 && resetCause != PowerOn && resetCause != SystemWatchdog; n++) { registers[Store(n)] = stores[n]; }
            watchdog.Reset();
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            if(offset == state) { return registers[state] & ~0x3Fu | resetCause; }
            return offset == Status ? registers[Raw] & registers[enable] : Value(offset);
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(IsProtected(offset))
            {
                this.Log(LogLevel.Warning, "Register at offset 0x{0:X} is write-protected: 0x{1:X} is ignored", offset, value);
                return;
            }
            if(!registers.CanWrite(offset, value)) { return; }
            registers[offset] = value;
            Written(offset, value);
            IRQ.Set((registers[Raw] & registers[enable]) != 0);
        }

        public GPIO IRQ { get; }
        public abstract long Size { get; }

        protected virtual uint Value(long offset) { return registers[offset]; }

        protected virtual bool IsProtected(long offset) { return IsWatchdog(offset) && registers[Key] != Unlocked; }

        protected virtual void Written(long offset, uint value)
        {
            if(offset == Options0)
            {
                registers[Options0] = value & ~(1u << 31 | 1u << 5);
                if(value >> 31 != 0) { RequestReset(CoreSoftware); }
                else if((value >> 5 & 1) != 0) { RequestReset(CpuSoftware); }
            }
            else if(offset == Clear) { registers[Raw] &= ~value; }
            else if(offset == Feed) { if(value >> 31 != 0) { watchdog.Feed(); } }
            else if(IsWatchdog(offset)) { Configure(); }
        }

        protected readonly EspressifRegisters registers;
        protected readonly IMachine machine;
        protected const long Options0 = 0x00;
        protected const uint Unlocked = 0x50D83AA1;

        private long Raw { get { return enable + 4; } }
        private long Status { get { return enable + 8; } }
        private long Clear { get { return enable + 12; } }
        private long Feed { get { return watchdog0 + 0x14; } }
        private long Key { get { return watchdog0 + 0x18; } }

        private bool IsWatchdog(long offset) { return offset >= watchdog0 && offset <= Feed; }

        private long Store(int n) { return n < 4 ? store0 + 4 * n : store4 + 4 * (n - 4); }

        private void Configure()
        {
            var conf = registers[watchdog0];
            var actions = new uint[4];
            var ticks = new ulong[4];
            for(var n = 0; n < 4; n++)
            {
                actions[n] = conf >> (28 - 3 * n) & 7;
                ticks[n] = (ulong)registers[watchdog0 + 4 + 4 * n] << (n == 0 ? firstShift : 0);
            }
            watchdog.Configure(conf >> 31 != 0, actions, ticks);
        }

        private void Act(uint action)
        {
            if(action == 1)
            {
                registers[Raw] |= WatchdogInterrupt;
                IRQ.Set((registers[Raw] & registers[enable]) != 0);
            }
            else { RequestReset(action == 2 ? CpuWatchdog : action == 3 ? CoreWatchdog : SystemWatchdog); }
        }

        private uint nextCause, resetCause = PowerOn;
        private readonly long state, enable, store0, store4, watchdog0;
        private readonly int firstShift;
        private readonly EspressifWatchdog watchdog;

        private const uint PowerOn = 0x01, CoreSoftware = 0x03, CoreWatchdog = 0x09, CpuSoftware = 0x0C, CpuWatchdog = 0x0D, SystemWatchdog = 0x10;
        private const uint WatchdogInterrupt = 1 << 3;
    }
}
