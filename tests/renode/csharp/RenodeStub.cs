// The part of Renode's interfaces that the peripherals in renode/peripherals use, with the names, types and parameters of
// Renode 1.16.1 and as much behaviour as a register-level test needs. Virtual time passes in Machine.Advance only.
using System;
using System.Collections.Generic;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Time
{
    public enum Direction { Ascending, Descending }

    public enum WorkMode { OneShot = 0, Periodic = 1 }

    public struct TimeInterval
    {
        public TimeInterval(ulong nanoseconds) { ticks = nanoseconds; }
        public ulong TotalNanoseconds { get { return ticks; } }
        public double TotalMicroseconds { get { return ticks / 1e3; } }
        public double TotalSeconds { get { return ticks / 1e9; } }
        private readonly ulong ticks;
    }

    public struct TimeStamp
    {
        public TimeStamp(TimeInterval elapsed) : this() { TimeElapsed = elapsed; }
        public TimeInterval TimeElapsed { get; private set; }
    }

    public interface IClockSource { }
}

namespace Antmicro.Renode.Logging
{
    public sealed class LogLevel
    {
        public static readonly LogLevel Debug = new LogLevel("debug"), Warning = new LogLevel("warning"), Error = new LogLevel("error");
        public override string ToString() { return name; }
        private LogLevel(string name) { this.name = name; }
        private readonly string name;
    }

    public static class Logger
    {
        public static readonly List<string> Lines = new List<string>();

        public static void Log(this IEmulationElement element, LogLevel type, string message, params object[] args)
        {
            Lines.Add(type + ": " + string.Format(message, args));
        }
    }
}

namespace Antmicro.Renode
{
    public interface IEmulationElement { }
}

namespace Antmicro.Renode.Core
{
    public interface IGPIO
    {
        bool IsSet { get; }
        void Set(bool value);
        void Connect(IGPIOReceiver destination, int destinationNumber);
    }

    public static class IGPIOExtensions
    {
        public static void Set(this IGPIO gpio) { gpio.Set(true); }
        public static void Unset(this IGPIO gpio) { gpio.Set(false); }
    }

    public sealed class GPIO : IGPIO
    {
        public bool IsSet { get; private set; }

        public void Set(bool value)
        {
            if(value == IsSet) { return; }
            IsSet = value;
            foreach(var target in targets) { target.Key.OnGPIO(target.Value, value); }
        }

        public void Connect(IGPIOReceiver destination, int destinationNumber)
        {
            targets.Add(new KeyValuePair<IGPIOReceiver, int>(destination, destinationNumber));
            destination.OnGPIO(destinationNumber, IsSet);
        }

        private readonly List<KeyValuePair<IGPIOReceiver, int>> targets = new List<KeyValuePair<IGPIOReceiver, int>>();
    }

    public interface IGPIOReceiver : IPeripheral
    {
        void OnGPIO(int number, bool value);
    }

    public interface INumberedGPIOOutput : IPeripheral
    {
        IReadOnlyDictionary<int, IGPIO> Connections { get; }
    }

    public interface IMachine : IEmulationElement
    {
        IClockSource ClockSource { get; }
        IBusController SystemBus { get; }
        TimeStamp ElapsedVirtualTime { get; }
        void RequestReset();
    }

    public class Machine : IMachine, IClockSource, IBusController, ICPU
    {
        public IClockSource ClockSource { get { return this; } }
        public IBusController SystemBus { get { return this; } }
        public TimeStamp ElapsedVirtualTime { get { return new TimeStamp(new TimeInterval(Nanoseconds)); } }
        public ulong Nanoseconds { get; private set; }
        public bool ResetRequested { get; set; }

        public void RequestReset() { ResetRequested = true; }

        // What the CPU has executed and not yet told: others know of it only by SyncTime, and only while it executes.
        public ulong Ahead { get; set; }

        public bool TryGetCurrentCPU(out ICPU cpu)
        {
            cpu = Ahead > 0 ? this : null;
            return cpu != null;
        }

        public void SyncTime()
        {
            var executed = Ahead;
            Ahead = 0;
            Advance(executed);
        }

        public void Reset() { }

        public void Advance(ulong nanoseconds)
        {
            var end = Nanoseconds + nanoseconds;
            while(true)
            {
                var next = Timers.Where(timer => timer.DueIn.HasValue).OrderBy(timer => timer.DueIn.Value).FirstOrDefault();
                if(next == null || Nanoseconds + next.DueIn.Value > end) { break; }
                Nanoseconds += next.DueIn.Value;
                next.Expire();
            }
            Nanoseconds = end;
        }

        internal readonly List<Peripherals.Timers.LimitTimer> Timers = new List<Peripherals.Timers.LimitTimer>();
    }
}

namespace Antmicro.Renode.Core.Structure
{
    public abstract class SimpleContainer<T> : IPeripheral where T : IPeripheral
    {
        public void Register(T peripheral, int address) { children.Add(address, peripheral); }
        public abstract void Reset();
        protected SimpleContainer(IMachine machine) { this.machine = machine; }
        protected bool TryGetByAddress(int address, out T peripheral) { return children.TryGetValue(address, out peripheral); }
        protected readonly IMachine machine;
        private readonly Dictionary<int, T> children = new Dictionary<int, T>();
    }
}

namespace Antmicro.Renode.Peripherals
{
    public interface IPeripheral : IEmulationElement
    {
        void Reset();
    }

    public interface IKnownSize : IBusPeripheral
    {
        long Size { get; }
    }
}

namespace Antmicro.Renode.Peripherals.Bus
{
    public interface IBusPeripheral : IPeripheral { }

    public interface IBusController
    {
        bool TryGetCurrentCPU(out ICPU cpu);
    }

    public interface IDoubleWordPeripheral : IBusPeripheral
    {
        uint ReadDoubleWord(long offset);
        void WriteDoubleWord(long offset, uint value);
    }
}

namespace Antmicro.Renode.Peripherals.CPU
{
    public interface ICPU : IPeripheral
    {
        void SyncTime();
    }
}

namespace Antmicro.Renode.Peripherals.SPI
{
    public interface ISPIPeripheral : IPeripheral
    {
        byte Transmit(byte data);
        void FinishTransmission();
    }
}

namespace Antmicro.Renode.Peripherals.Timers
{
    public class LimitTimer : IPeripheral
    {
        public LimitTimer(IClockSource clockSource, ulong frequency, IPeripheral owner, string localName, ulong limit = ulong.MaxValue,
            Direction direction = Direction.Descending, bool enabled = false, WorkMode workMode = WorkMode.Periodic,
            bool eventEnabled = false, bool autoUpdate = false, ulong divider = 1)
        {
            if(direction != Direction.Ascending || !eventEnabled) { throw new NotSupportedException("the stub counts upwards, with events"); }
            machine = (Machine)clockSource;
            machine.Timers.Add(this);
            this.frequency = frequency;
            initialLimit = limit;
            Reset();
        }

        public void Reset()
        {
            period = initialLimit;
            Mode = WorkMode.Periodic;
            isEnabled = false;
            passed = 0;
        }

        public WorkMode Mode { get; set; }

        public bool Enabled
        {
            get { return isEnabled; }
            set { Settle(); isEnabled = value; }
        }

        public ulong Limit
        {
            get { return period; }
            set { Settle(); period = value; }
        }

        public ulong Value
        {
            get { Settle(); return passed; }
            set { Settle(); passed = value; }
        }

        public event Action LimitReached;

        // Nanoseconds until it fires, rounded up as Renode does.
        internal ulong? DueIn
        {
            get
            {
                Settle();
                if(!isEnabled) { return null; }
                return (ulong)Math.Ceiling((decimal)(period - passed) * 1000000000m / frequency);
            }
        }

        internal void Expire()
        {
            since = machine.Nanoseconds;
            passed = 0;
            if(Mode == WorkMode.OneShot) { isEnabled = false; }
            if(LimitReached != null) { LimitReached(); }
        }

        private void Settle()
        {
            if(isEnabled) { passed += (ulong)((decimal)(machine.Nanoseconds - since) * frequency / 1000000000m); }
            since = machine.Nanoseconds;
        }

        private bool isEnabled;
        private ulong period, passed, since;
        private readonly ulong frequency, initialLimit;
        private readonly Machine machine;
    }
}

namespace Antmicro.Renode.Peripherals.UART
{
    public enum Parity { Odd, Even, None, Forced1, Forced0, Multidrop, Unsupported }

    public enum Bits { None, One, Half, OneAndAHalf, Two }

    public abstract class UARTBase : IPeripheral
    {
        public virtual void WriteChar(byte value)
        {
            if(!IsReceiveEnabled) { return; }
            queue.Enqueue(value);
            CharWritten();
        }

        public virtual void Reset() { ClearBuffer(); }

        public abstract Bits StopBits { get; }
        public abstract Parity ParityBit { get; }
        public abstract uint BaudRate { get; }
        public event Action<byte> CharReceived;

        protected UARTBase(IMachine machine) { Machine = machine; }

        protected bool TryGetCharacter(out byte character, bool peek = false)
        {
            character = 0;
            if(queue.Count == 0) { return false; }
            character = peek ? queue.Peek() : queue.Dequeue();
            if(queue.Count == 0) { QueueEmptied(); }
            return true;
        }

        protected void TransmitCharacter(byte character)
        {
            if(CharReceived != null) { CharReceived(character); }
        }

        protected void ClearBuffer()
        {
            queue.Clear();
            QueueEmptied();
        }

        protected virtual bool IsReceiveEnabled { get { return true; } }
        protected abstract void CharWritten();
        protected abstract void QueueEmptied();
        protected int Count { get { return queue.Count; } }

        protected readonly IMachine Machine;
        protected readonly object innerLock = new object();
        private readonly Queue<byte> queue = new Queue<byte>();
    }
}

namespace Antmicro.Renode.Peripherals.GPIOPort
{
    public abstract class BaseGPIOPort : IPeripheral, IGPIOReceiver, INumberedGPIOOutput
    {
        public virtual void OnGPIO(int number, bool value) { State[number] = value; }

        public virtual void Reset()
        {
            foreach(var connection in Connections.Values) { connection.Unset(); }
            Array.Clear(State, 0, State.Length);
        }

        public IReadOnlyDictionary<int, IGPIO> Connections { get; private set; }

        protected BaseGPIOPort(IMachine machine, int numberOfConnections)
        {
            this.machine = machine;
            State = new bool[numberOfConnections];
            Connections = Enumerable.Range(0, numberOfConnections).ToDictionary(n => n, n => (IGPIO)new GPIO());
        }

        protected void SetConnectionsStateUsingBits(uint bits)
        {
            foreach(var connection in Connections) { connection.Value.Set((bits & 1u << connection.Key) != 0); }
        }

        protected bool[] State;
        protected readonly IMachine machine;
    }
}
